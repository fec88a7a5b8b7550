"""Which of the jobs in jobs.csv SLURM still has, for commands that only look."""

import time
from collections.abc import Sequence
from shutil import which

from cifar_exp.config.launcher import SlurmOptions
from cifar_exp.storage.jobs import Job
from cifar_exp.sweeps.launchers.slurm.commands import UnreachableError, queued_jobs

ASK_SECONDS = 10.0


class LivingJobs:
    """Leaves out the jobs that have ended; none where SLURM is not here, or does not answer."""

    def __init__(self) -> None:
        self._queued: set[str] | None = None
        self._asked_at = -ASK_SECONDS

    def __call__(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Those of the jobs that are queued or running, as far as is known."""
        if not jobs or which("squeue") is None:
            return jobs
        if time.monotonic() - self._asked_at >= ASK_SECONDS:
            self._ask()
        queued = self._queued
        if queued is None:
            return jobs
        return [job for job in jobs if job.executor != SlurmOptions.name or job.job_id in queued]

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        try:
            self._queued = queued_jobs()
        except UnreachableError:
            self._queued = None
