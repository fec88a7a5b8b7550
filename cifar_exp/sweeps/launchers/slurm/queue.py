"""SLURM's queue: jobs go in by submitit, and SLURM's own commands say what becomes of them."""

import math
import pickle
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

from cifar_exp.config.launcher import SlurmOptions
from cifar_exp.errors import EnvironmentFailure
from cifar_exp.sweeps.launchers.local.worker import WorkerResult
from cifar_exp.sweeps.launchers.slurm import commands
from cifar_exp.sweeps.launchers.slurm.job import TrainJob

RESULT = "_0_result.pkl"  # of the only task of a job


class Queue(Protocol):
    """Jobs by id. Files of theirs are in one folder, until `clear`."""

    def submit(self, jobs: Sequence[TrainJob]) -> list[str]:
        """Queue the jobs; returns their ids. Raises EnvironmentFailure if they are refused."""

    def queued(self) -> set[str]:
        """All jobs that are queued or running. Raises UnreachableError."""

    def returned(self) -> set[str]:
        """The jobs that have returned a result."""

    def result(self, job_id: str) -> WorkerResult:
        """What such a job returned."""

    def end(self, job_id: str) -> str:
        """How a job ended that returned nothing: `was canceled`."""

    def cancel(self, job_ids: Iterable[str], *, now: bool) -> None:
        """Take jobs out of the queue, and ask those that run to stop, or with `now` kill them."""

    def how_to_cancel(self, job_ids: Iterable[str]) -> str:
        """The command that does the same."""

    def clear(self, job_id: str) -> None:
        """Delete the files of a job."""


class SlurmQueue:
    """The queue of the cluster that this machine belongs to; files are in `folder`."""

    def __init__(self, options: SlurmOptions, folder: Path) -> None:
        self._options = options
        self._shown, self._folder = folder, folder.absolute()

    def submit(self, jobs: Sequence[TrainJob]) -> list[str]:
        """One job, or a job array."""
        from submitit import SlurmExecutor
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        executor = SlurmExecutor(self._folder, max_num_timeout=self._options.max_requeues)
        executor.update_parameters(**self._parameters())
        try:
            with redirect_stderr(StringIO()), executor.batch():  # sbatch's words are in the error
                submitted = [executor.submit(job) for job in jobs]
        except (FailedJobError, FailedSubmissionError) as error:
            raise EnvironmentFailure(
                f"SLURM refuses the jobs: {commands.reason(str(error))}"
            ) from error
        return [job.job_id for job in submitted]

    def _parameters(self) -> dict[str, Any]:
        options = self._options
        chosen = {
            "partition": options.partition,
            "qos": options.qos,
            "account": options.account,
            "constraint": options.constraint,
            "gpus_per_node": options.gpus or None,
            "setup": None if options.setup is None else list(options.setup),
        }
        return {
            "job_name": "cifar_exp",
            "time": options.timeout_min,
            "signal_delay_s": signal_delay(options),
            "mem": f"{math.ceil(1024 * options.memory_gb)}MB",
            "cpus_per_task": options.cpus,
            "array_parallelism": options.n_jobs,
            # a step takes no number of cores from its job since SLURM 22.05
            "srun_args": [f"--cpus-per-task={options.cpus}"],
            "additional_parameters": {"requeue": True, **(options.parameters or {})},
            **{key: value for key, value in chosen.items() if value is not None},
        }

    def queued(self) -> set[str]:
        """The user's jobs in squeue."""
        return commands.queued_jobs()

    def returned(self) -> set[str]:
        """Those with a file of submitit's, of which a part is never seen."""
        return {path.name.removesuffix(RESULT) for path in self._folder.glob(f"*{RESULT}")}

    def result(self, job_id: str) -> WorkerResult:
        """From that file."""
        path = self._folder / f"{job_id}{RESULT}"
        try:
            kind, value = pickle.loads(path.read_bytes())
        except Exception as error:  # anything, as from another version of Python
            return WorkerResult("crashed", message=f"{path} cannot be read: {error!r}")
        if kind == "success" and isinstance(value, WorkerResult):
            return value
        return WorkerResult("crashed", message=str(value).strip().rpartition("\n")[2])

    def end(self, job_id: str) -> str:
        """As SLURM remembers it: for minutes without accounting."""
        return f"{commands.end_of(job_id)}; its log: {self._shown / f'{job_id}_0_log.err'}"

    def cancel(self, job_ids: Iterable[str], *, now: bool) -> None:
        """SIGINT saves a run, and does not queue its job again."""
        commands.cancel(job_ids, now=now)

    def how_to_cancel(self, job_ids: Iterable[str]) -> str:
        """An array is one sweep's, and is canceled as a whole."""
        arrays = dict.fromkeys(job_id.partition("_")[0] for job_id in job_ids)
        return f"scancel {' '.join(arrays)}"

    def clear(self, job_id: str) -> None:
        """Delete a job's files; those of its array when the last job is cleared."""
        array = job_id.partition("_")[0]
        _unlink(self._folder.glob(f"{job_id}_*"))
        left = list(self._folder.glob(f"{array}_*"))
        if [path.name for path in left] == [f"{array}_submission.sh"]:
            _unlink(left)
        _unlink(p for p in self._folder.glob(".submission_file_*.sh") if not p.exists())
        with suppress(OSError):  # other jobs have files there
            self._folder.rmdir()


def signal_delay(options: SlurmOptions) -> int:
    """Seconds before the time limit at which a run is saved."""
    return min(options.signal_delay_s, 30 * options.timeout_min)


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
