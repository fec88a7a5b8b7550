"""SLURM's own commands: what is in its queue, and how a job has ended."""

import getpass
import re
import signal
import subprocess
from collections.abc import Iterable

COMMAND_SECONDS = 60.0  # for an answer
NEVER_STARTED = "4294967294"  # as the number of jobs of an array that were canceled in the queue
# What became of a job, by the state that SLURM gives for it.
ENDS = {
    "CANCELLED": "was canceled",
    "DEADLINE": "reached its time limit and was killed",
    "NODE_FAIL": "was lost with its node",
    "OUT_OF_MEMORY": "ran out of memory and was killed (hydra.launcher.memory_gb)",
    "PREEMPTED": "was preempted and not queued again",
    "TIMEOUT": "reached its time limit and was killed",
}


class UnreachableError(Exception):
    """SLURM did not answer."""


def queued_jobs() -> set[str]:
    """The ids of the user's jobs that are queued or running. Raises UnreachableError."""
    user = getpass.getuser()
    try:
        listed = _run("squeue", "--noheader", "--array", f"--user={user}", "--format=%i")
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None)
        raise UnreachableError(reason(said) if said else str(error)) from error
    return set(listed.split())


def end_of(job_id: str) -> str:
    """How a job ended, as SLURM remembers it: for minutes without accounting."""
    state, code = _ended_in_memory(job_id) or _ended_in_accounting(job_id) or ("", "")
    return ENDS.get(state) or _exit(code)


def cancel(job_ids: Iterable[str], *, now: bool) -> None:
    """Take jobs out of the queue; ask those that run to stop by SIGINT, or with `now` end them."""
    listed = list(job_ids)
    if not listed:
        return
    asked = [[]] if now else [["--state=PENDING"], ["--signal=INT"]]
    for options in asked:
        try:
            _run("scancel", *options, *listed)
        except (OSError, subprocess.SubprocessError):  # one of them may just have ended
            continue


def reason(text: str) -> str:
    """The last line of what sbatch, or another command, said."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("sbatch: error")]
    return (said or lines or ["no reason given"])[-1].removeprefix("sbatch: error: ")


def _run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=COMMAND_SECONDS
    )
    return done.stdout


def _ended_in_memory(job_id: str) -> tuple[str, str] | None:
    for record in _records(job_id) or _records(job_id.partition("_")[0]):
        if record.get("ArrayTaskId") in (job_id.partition("_")[2] or None, NEVER_STARTED):
            return record["JobState"], record.get("ExitCode", "")
    return None


def _records(job_id: str) -> list[dict[str, str]]:
    """What SLURM remembers of a job, or of all jobs of an array."""
    try:
        shown = _run("scontrol", "--oneliner", "show", "job", job_id)
    except (OSError, subprocess.SubprocessError):
        return []
    found = [dict(re.findall(r"\b(\w+)=(\S+)", line)) for line in shown.splitlines()]
    return [record for record in found if "JobState" in record]


def _ended_in_accounting(job_id: str) -> tuple[str, str] | None:
    try:
        listed = _run("sacct", "-n", "-P", "-X", "-o", "State,ExitCode", "-j", job_id)
    except (OSError, subprocess.SubprocessError):
        return None
    state, _, code = listed.partition("\n")[0].partition("|")
    return (state.split()[0], code) if state else None  # `CANCELLED by 1000`


def _exit(code: str) -> str:
    """In words: SLURM gives exit code and signal as `137:0` or `0:9`."""
    number, _, signum = code.partition(":")
    if not number.isdigit():
        return "ended without a result"
    killed_by = int(signum or 0) or max(0, int(number) - 128)
    if killed_by in set(signal.Signals):
        return f"was killed by {signal.Signals(killed_by).name}"
    return f"ended with exit code {number} and without a result"
