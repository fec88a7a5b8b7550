"""What SLURM's commands say, as scripts on the PATH that say it."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from cifar_exp.config.launcher import SlurmOptions
from cifar_exp.config.schema import Settings
from cifar_exp.errors import EnvironmentFailure
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.jobs import Job
from cifar_exp.sweeps.launchers.local.worker import WorkerResult
from cifar_exp.sweeps.launchers.slurm.commands import UnreachableError
from cifar_exp.sweeps.launchers.slurm.job import TrainJob
from cifar_exp.sweeps.launchers.slurm.living import LivingJobs
from cifar_exp.sweeps.launchers.slurm.queue import SlurmQueue

Says = Callable[..., None]
JOBS = [("slurm", "7_0"), ("slurm", "7_1"), ("other", "7_1")]


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """Puts a command on the PATH that notes its arguments and runs these lines of shell."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def put(command: str, script: str) -> None:
        path = tmp_path / command
        path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/{command}.called\n{script}\n')
        path.chmod(0o755)

    for command in ("sbatch", "srun", "squeue", "scancel", "scontrol", "sacct"):
        put(command, "exit 1")
    return put


def called(tmp_path: Path, command: str) -> list[str]:
    path = tmp_path / f"{command}.called"
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def jobs(tmp_path: Path) -> list[TrainJob]:
    settings = cast(Settings, None)  # they are only handed on
    spec = RunSpec(settings, "tiny", (), tmp_path / "outputs", "0123456789")
    return [TrainJob(spec, tmp_path)] * 2


def queue(tmp_path: Path, **options: object) -> SlurmQueue:
    return SlurmQueue(SlurmOptions.model_validate(options), tmp_path / "jobs")


def script_of(tmp_path: Path) -> set[str]:
    (path,) = (tmp_path / "jobs").glob("7_submission.sh")
    return set(path.read_text().splitlines())


def test_several_jobs_are_an_array_with_a_limit(
    says: Says, jobs: list[TrainJob], tmp_path: Path
) -> None:
    says("sbatch", "echo Submitted batch job 7")
    options = {"cpus": 3, "n_jobs": 1, "memory_gb": 0.5, "timeout_min": 9, "signal_delay_s": 50}
    assert queue(tmp_path, **options).submit(jobs) == ["7_0", "7_1"]
    assert script_of(tmp_path) >= {
        "#SBATCH --array=0-1%1",
        "#SBATCH --cpus-per-task=3",
        "#SBATCH --mem=512MB",
        "#SBATCH --time=9",
        "#SBATCH --signal=USR2@50",
        "#SBATCH --requeue",
    }
    assert not any("--partition" in line or "--gpus" in line for line in script_of(tmp_path))


def test_what_the_user_asks_of_slurm_is_in_the_script(
    says: Says, jobs: list[TrainJob], tmp_path: Path
) -> None:
    says("sbatch", "echo Submitted batch job 7")
    asked = {
        "partition": "gpu",
        "qos": "low",
        "account": "lab",
        "constraint": "a100",
        "gpus": 2,
        "setup": ["module load cuda"],
        "parameters": {"nice": 10},
    }
    assert queue(tmp_path, **asked).submit(jobs[:1]) == ["7"]
    assert script_of(tmp_path) >= {
        "#SBATCH --partition=gpu",
        "#SBATCH --qos=low",
        "#SBATCH --account=lab",
        "#SBATCH --constraint=a100",
        "#SBATCH --gpus-per-node=2",
        "#SBATCH --nice=10",
        "module load cuda",
    }


def test_a_refusal_is_sbatchs_own_reason(
    says: Says, jobs: list[TrainJob], tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    says("sbatch", "echo 'sbatch: error: invalid partition specified: nope' >&2; exit 1")
    with pytest.raises(EnvironmentFailure) as caught:
        queue(tmp_path).submit(jobs)
    assert str(caught.value) == "SLURM refuses the jobs: invalid partition specified: nope"
    assert capfd.readouterr() == ("", "")


def test_the_queue_is_the_users_own(says: Says, tmp_path: Path) -> None:
    says("squeue", "printf '7_0\\n7_1\\n9\\n'")
    assert queue(tmp_path).queued() == {"7_0", "7_1", "9"}
    (line,) = called(tmp_path, "squeue")
    assert "--array" in line


def test_a_controller_that_is_away_is_told_apart_from_an_empty_queue(
    says: Says, tmp_path: Path
) -> None:
    says("squeue", "")
    assert queue(tmp_path).queued() == set()
    says("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(UnreachableError, match="Unable to contact slurm controller"):
        queue(tmp_path).queued()


def test_who_only_looks_leaves_out_jobs_that_have_ended(says: Says, tmp_path: Path) -> None:
    listed = [Job(executor, job_id, "0123456789", "") for executor, job_id in JOBS]
    says("squeue", "echo 7_0")
    living = LivingJobs()
    assert living([]) == []
    assert called(tmp_path, "squeue") == []
    for _ in range(2):
        assert [(job.executor, job.job_id) for job in living(listed)] == [JOBS[0], JOBS[2]]
    assert len(called(tmp_path, "squeue")) == 1
    says("squeue", "exit 1")
    assert LivingJobs()(listed) == listed


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("JobState=CANCELLED Reason=None ExitCode=0:15", "was canceled"),
        ("JobState=OUT_OF_MEMORY ExitCode=0:125", "ran out of memory and was killed"),
        ("JobState=TIMEOUT ExitCode=0:15", "reached its time limit and was killed"),
        ("JobState=NODE_FAIL ExitCode=0:0", "was lost with its node"),
        ("JobState=FAILED ExitCode=137:0", "was killed by SIGKILL"),
        ("JobState=FAILED ExitCode=0:11", "was killed by SIGSEGV"),
        ("JobState=FAILED ExitCode=1:0", "ended with exit code 1 and without a result"),
    ],
)
def test_how_a_job_ended_is_said_in_words(
    says: Says, tmp_path: Path, shown: str, words: str
) -> None:
    says("scontrol", f"echo JobId=7 {shown}")
    end = queue(tmp_path).end("7")
    assert end.startswith(words)
    assert end.endswith(f"; its log: {tmp_path}/jobs/7_0_log.err")


def test_jobs_of_an_array_that_never_started_have_one_record(says: Says, tmp_path: Path) -> None:
    record = "JobId=7 ArrayJobId=7 ArrayTaskId=4294967294 JobState=CANCELLED ExitCode=0:0"
    other = "JobId=8 ArrayJobId=7 ArrayTaskId=0 JobState=FAILED ExitCode=1:0"
    says("scontrol", f"[ $4 = 7 ] && printf '{other}\\n{record}\\n'")
    assert queue(tmp_path).end("7_6").startswith("was canceled;")
    says("scontrol", f"[ $4 = 7 ] && echo {other}")
    assert queue(tmp_path).end("7_6").startswith("ended without a result;")


def test_what_slurm_has_forgotten_is_asked_of_its_accounting(says: Says, tmp_path: Path) -> None:
    says("sacct", "echo 'CANCELLED by 1000|0:0'")
    assert queue(tmp_path).end("7").startswith("was canceled;")
    says("sacct", "exit 1")
    assert queue(tmp_path).end("7").startswith("ended without a result;")


def test_results_are_read_from_their_files(says: Says, tmp_path: Path) -> None:
    del says
    folder = tmp_path / "jobs"
    folder.mkdir()
    result = WorkerResult("recorded")
    (folder / "7_0_0_result.pkl").write_bytes(pickle.dumps(("success", result)))
    (folder / "7_1_0_result.pkl").write_bytes(pickle.dumps(("error", "Traceback\nKeyError: 1\n")))
    (folder / "8_0_result.pkl").write_bytes(b"damaged")
    read = queue(tmp_path)
    assert read.returned() == {"7_0", "7_1", "8"}
    assert read.result("7_0") == result
    assert read.result("7_1") == WorkerResult("crashed", message="KeyError: 1")
    assert read.result("8").kind == "crashed"


def test_the_files_of_an_array_go_with_its_last_job(
    says: Says, jobs: list[TrainJob], tmp_path: Path
) -> None:
    says("sbatch", "echo Submitted batch job 7")
    submitted = queue(tmp_path)
    submitted.submit(jobs)
    (tmp_path / "jobs" / "71_0_log.err").touch()  # another job's
    submitted.clear("7_0")
    assert (tmp_path / "jobs" / "7_submission.sh").exists()
    submitted.clear("7_1")
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["71_0_log.err"]
    submitted.clear("71")
    assert not (tmp_path / "jobs").exists()


def test_an_array_is_cancelled_by_its_own_number(says: Says, tmp_path: Path) -> None:
    says("scancel", "")
    cancelled = queue(tmp_path)
    assert cancelled.how_to_cancel(["7_0", "7_1", "9"]) == "scancel 7 9"
    cancelled.cancel([], now=True)
    assert called(tmp_path, "scancel") == []
    cancelled.cancel(["7_0", "9"], now=False)
    cancelled.cancel(["7_0", "9"], now=True)
    assert called(tmp_path, "scancel") == [
        "--state=PENDING 7_0 9",
        "--signal=INT 7_0 9",
        "7_0 9",
    ]
