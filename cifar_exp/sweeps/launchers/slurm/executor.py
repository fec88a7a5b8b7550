"""The executor for a SLURM cluster: jobs go on without the command that submitted them."""

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cifar_exp.config.launcher import SlurmOptions
from cifar_exp.errors import EnvironmentFailure
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.jobs import Job, JobsFile
from cifar_exp.storage.lock import RunLockedError, lock_holder
from cifar_exp.storage.record import TERMINAL, now
from cifar_exp.storage.run_state import fail_dead_run, read_states
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.launchers.local.executor import error_of
from cifar_exp.sweeps.launchers.local.worker import GRACE_SECONDS, WorkerResult
from cifar_exp.sweeps.launchers.slurm.commands import UnreachableError
from cifar_exp.sweeps.launchers.slurm.job import TrainJob
from cifar_exp.sweeps.launchers.slurm.queue import Queue, signal_delay
from cifar_exp.text import counted

LOOK_SECONDS = 0.5  # between two looks for results, which are files
ASK_SECONDS = (1.0, 30.0)  # between two questions to the queue: longer the longer nothing ends
SETTLE_SECONDS = 3.0  # for the files of a job to appear here when it has left the queue
LOST_SECONDS = 90.0  # until it is known that a run's holder was lost with its node
SILENT_SECONDS = 600.0  # without an answer of the queue
COLLECT = "its jobs are left alone: run the same command again to collect"
LARGEST_ARRAY = 1000  # jobs, by SLURM's defaults
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@dataclass
class _Tracked:
    """A job that has not been seen to end. `left_at`: when it was first not in the queue."""

    job_id: str
    since: float
    left_at: float | None = None


class SlurmExecutor(Executor):
    """Submits what it gets as jobs, and knows those of earlier commands from jobs.csv.

    `folder` is the sweep's.
    """

    outlives = True

    def __init__(self, options: SlurmOptions, folder: Path, queue: Queue) -> None:
        self._options, self._queue = options, queue
        # not every cluster hides the GPUs of a node from a job that asked for none
        self._slot = Slot(device=None if options.gpus else "cpu", threads=options.cpus)
        self._file = JobsFile(folder)
        self._runs = folder.parents[1] / "runs"
        self._unsent: dict[str, RunSpec] = {}
        self._jobs: dict[str, _Tracked] = {}
        self._answered_at = time.monotonic()
        self._asked_at = 0.0
        self._is_new = True

    def capacity(self) -> Sequence[Slot]:
        """As many slots as jobs may run at a time."""
        return [self._slot] * self._options.n_jobs

    def submit(self, spec: RunSpec) -> None:
        """Submit it with the next poll: what comes together is one job array."""
        if str(spec.run_id) not in self.live():
            self._unsent[str(spec.run_id)] = spec

    def poll(self, timeout: float) -> Mapping[str, Exception | None]:
        """Submit what is new, and wait for jobs to end."""
        self._adopt()
        self._send()
        deadline = time.monotonic() + timeout
        while True:
            ended = self._collect()
            left = deadline - time.monotonic()
            if ended or left <= 0 or not self._jobs:
                return ended
            time.sleep(min(LOOK_SECONDS, left))

    def live(self) -> set[str]:
        """The runs of all jobs that have not been seen to end, of earlier commands too."""
        self._adopt()
        return {*self._unsent, *self._jobs}

    def cancel(self, *, now: bool = False) -> None:
        """Cancel all jobs: those that run save their position, unless `now`; waits for that.

        A job that does not stop in `GRACE_SECONDS` is killed; on KeyboardInterrupt, every job is.
        """
        self._unsent.clear()
        self._adopt()
        job_ids = {job.job_id for job in self._jobs.values()}
        try:
            if not now:
                self._queue.cancel(job_ids, now=False)
                self._wait_for_end_of(job_ids)
        finally:
            self._queue.cancel(job_ids, now=True)
            self._forget(list(self._jobs))

    def _wait_for_end_of(self, job_ids: AbstractSet[str]) -> None:
        deadline = time.monotonic() + GRACE_SECONDS
        while job_ids and time.monotonic() < deadline:
            with suppress(UnreachableError):
                job_ids = job_ids & self._queue.queued()
            time.sleep(LOOK_SECONDS)

    def left_behind(self) -> Sequence[str]:
        """What stays in the queue, as far as is known without asking it."""
        listed = self._listed()
        if not listed:
            return []
        how = self._queue.how_to_cancel(job.job_id for job in listed)
        jobs = counted(len(listed), "job")
        return [f"queued   {jobs} left to SLURM; to cancel: {how}"]

    def _adopt(self) -> None:
        """Take over the jobs of earlier commands that have not ended, when they matter first.

        What has ended meanwhile is recorded, and is no attempt of this command. Raises
        EnvironmentFailure if SLURM does not answer.
        """
        if not self._is_new:
            return
        listed = self._listed()
        try:
            queued = self._queue.queued() if listed else set()
        except UnreachableError as error:
            raise EnvironmentFailure(f"SLURM does not answer ({error}); {COLLECT}") from error
        self._is_new = False
        self._jobs = {job.run_id: _Tracked(job.job_id, time.monotonic()) for job in listed}
        ended = [run_id for run_id, job in self._jobs.items() if job.job_id not in queued]
        for run_id in ended:
            self._judge(run_id, self._jobs[run_id].job_id)
        self._forget(ended)

    def _listed(self) -> list[Job]:
        return [job for job in self._file.read() if job.executor == self._options.name]

    def _send(self) -> None:
        """Submit all that is new."""
        while self._unsent:
            self._send_array(list(self._unsent)[:LARGEST_ARRAY])

    def _send_array(self, run_ids: Sequence[str]) -> None:
        """Signals wait: no job may be submitted and not be noted."""
        with _deferred_signals():
            specs = [self._unsent.pop(run_id) for run_id in run_ids]
            job_ids = self._queue.submit([TrainJob(self._there(s), Path.cwd()) for s in specs])
            name, at = self._options.name, now()
            jobs = [
                Job(name, job_id, run_id, at)
                for job_id, run_id in zip(job_ids, run_ids, strict=True)
            ]
            self._jobs |= {job.run_id: _Tracked(job.job_id, time.monotonic()) for job in jobs}
            self._file.add(jobs)

    def _there(self, spec: RunSpec) -> RunSpec:
        """The spec for a process on another machine, which must stop before its job is killed."""
        limit = 60 * self._options.timeout_min - signal_delay(self._options)
        return replace(
            spec,
            outputs=spec.outputs.absolute(),
            slot=self._slot,
            time_limit=float(limit),
            is_silent=True,
        )

    def _collect(self) -> dict[str, Exception | None]:
        self._ask()
        returned = self._queue.returned()
        ended = {
            run_id: self._judge(run_id, job.job_id)
            for run_id, job in self._jobs.items()
            if job.job_id in returned or self._is_gone(run_id, job)
        }
        self._forget(list(ended))
        return {run_id: error_of(result) for run_id, result in ended.items()}

    def _ask(self) -> None:
        """Ask the queue which jobs it has left, and not too often."""
        at = time.monotonic()
        shortest, longest = ASK_SECONDS
        newest = max((job.since for job in self._jobs.values()), default=at)
        if at - self._asked_at < min(longest, max(shortest, (at - newest) / 10)):
            return
        self._asked_at = at
        try:
            queued = self._queue.queued()
        except UnreachableError as error:
            if at - self._answered_at > SILENT_SECONDS:
                raise EnvironmentFailure(f"SLURM does not answer ({error}); {COLLECT}") from error
            return
        self._answered_at = at
        for job in self._jobs.values():
            if job.job_id in queued:
                job.left_at = None
            elif job.left_at is None:
                job.left_at = at

    def _is_gone(self, run_id: str, job: _Tracked) -> bool:
        """Whether the job has left the queue, and neither its files nor its lock may be late."""
        gone = 0.0 if job.left_at is None else time.monotonic() - job.left_at
        if gone <= SETTLE_SECONDS:
            return False
        return gone > LOST_SECONDS or lock_holder(self._runs, run_id) is None

    def _judge(self, run_id: str, job_id: str) -> WorkerResult:
        """How a job ended; files of one that has ended well are deleted."""
        if job_id in self._queue.returned():
            result = self._queue.result(job_id)
        else:
            result = self._result_of_dead(run_id, job_id)
        if result.kind == "recorded":
            self._queue.clear(job_id)
        return result

    def _result_of_dead(self, run_id: str, job_id: str) -> WorkerResult:
        """Of a job that could return nothing: its run's folder may still say that it is done."""
        state = read_states(self._runs, [run_id])[run_id]
        if state.holder is not None:
            return WorkerResult("locked", message=str(RunLockedError.by(run_id, state.holder)))
        if state.record is not None and state.record.status in TERMINAL:
            return WorkerResult("recorded")
        message = f"its SLURM job {job_id} {self._queue.end(job_id)}"
        fail_dead_run(self._runs, run_id, message)
        return WorkerResult("killed", message=message)

    def _forget(self, run_ids: Sequence[str]) -> None:
        job_ids = [self._jobs.pop(run_id).job_id for run_id in run_ids]
        if job_ids:
            self._file.remove(self._options.name, job_ids)


@contextmanager
def _deferred_signals() -> Iterator[None]:
    """Deliver signals at the end of the block; processes that it starts do not get them either."""
    received: list[int] = []
    before = {s: signal.signal(s, lambda number, _: received.append(number)) for s in SIGNALS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # is inherited by processes
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        for number in received:
            signal.raise_signal(number)
