"""The executor for this machine: one run a worker process, as many at a time as there are slots."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import TypeVar

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.machine import available_cores, total_memory_gb
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.storage.run_state import fail_dead_run
from cifar_exp.sweeps.launchers.base import Executor, RunStoppedError
from cifar_exp.sweeps.launchers.local import worker as inside
from cifar_exp.sweeps.launchers.local.pool import Worker, fork_server, result_of
from cifar_exp.sweeps.launchers.local.slots import divide
from cifar_exp.sweeps.launchers.local.worker import GRACE_SECONDS, KILL, STOP, WorkerResult

ERRORS: Mapping[str, type[Exception]] = {
    "mistake": UserError,
    "environment": EnvironmentFailure,
    "locked": RunLockedError,
    "stopped": RunStoppedError,
    "crashed": RunStoppedError,
    "killed": RunStoppedError,
    "lost": RunStoppedError,
}
T = TypeVar("T")
Train = Callable[[RunSpec], WorkerResult]
Divide = Callable[[Sequence[str]], Sequence[Slot]]


def error_of(result: WorkerResult) -> Exception | None:
    """What `Executor.poll` says of a run that ended like this."""
    error = ERRORS.get(result.kind)
    return None if error is None else error(result.message)


class LocalExecutor(Executor):
    """Trains on worker processes, which start with the first run.

    `needs_accelerator`: whether any run may use more than the CPU. `train` and `divide` are
    replaced in tests.
    """

    def __init__(
        self,
        options: LocalOptions,
        *,
        needs_accelerator: bool = True,
        train: Train = inside.train,
        divide: Divide | None = None,
    ) -> None:
        self._options, self._needs_accelerator = options, needs_accelerator
        self._train, self._divide = train, divide or self._divide_machine
        self._context = fork_server()
        self._workers: list[Worker] = []
        self._idle: deque[Worker] = deque()
        self._queued: deque[RunSpec] = deque()
        self._running: dict[str, Future[WorkerResult]] = {}
        self._lost: set[str] = set()  # submitted to a process that died before they began
        self._finished: SimpleQueue[tuple[Worker, RunSpec, Future[WorkerResult]]] = SimpleQueue()

    def capacity(self) -> Sequence[Slot]:
        """The slots of this machine."""
        return self._slots

    def call(self, function: Callable[[], T]) -> T:
        """Call the function in the first worker, before any run is submitted, and wait.

        This process then needs no torch. Raises EnvironmentFailure if the worker dies.
        """
        _ = self._slots  # this may start the first worker
        if not self._workers:
            self._workers.append(Worker(self._slots[0], self._context))
            self._idle.extend(self._workers)
        return self._workers[0].call(function)

    def submit(self, spec: RunSpec) -> None:
        """Train in the first free slot."""
        _ = self._slots  # this may start the first worker
        self._queued.append(spec)
        self._assign()

    def poll(self, timeout: float) -> Mapping[str, Exception | None]:
        """The next run that ends, if one does within `timeout` seconds."""
        try:
            finished = self._finished.get(timeout=timeout)
        except Empty:
            return {}
        return self._handle_finished(*finished)

    def live(self) -> set[str]:
        """The ids of queued and running runs."""
        return {str(spec.run_id) for spec in self._queued} | set(self._running)

    def cancel(self, *, now: bool = False) -> None:
        """Save and stop all runs, and wait for that.

        A run that does not stop in `GRACE_SECONDS` is killed; on KeyboardInterrupt, every run is.
        """
        self._queued.clear()
        try:
            self._send(KILL if now else STOP)
            unfinished = wait(self._running.values(), timeout=GRACE_SECONDS).not_done
        except KeyboardInterrupt:
            self._send(KILL)
            raise
        if unfinished:
            self._send(KILL)

    def close(self) -> None:
        """End all worker processes. Does nothing the second time."""
        workers, self._workers = self._workers, []
        self._idle.clear()
        for worker in workers:
            worker.close()

    @cached_property
    def _slots(self) -> Sequence[Slot]:
        if not self._needs_accelerator:
            return self._divide([])
        # the first worker looks for devices, so that this process needs no torch
        worker = Worker(Slot(), self._context)
        self._workers.append(worker)
        slots = self._divide(worker.call(inside.accelerators))
        worker.slot = slots[0]
        self._idle.append(worker)
        return slots

    def _divide_machine(self, accelerators: Sequence[str]) -> Sequence[Slot]:
        return divide(self._options, accelerators, available_cores(), total_memory_gb())

    def _assign(self) -> None:
        while self._queued and (worker := self._free_worker()):
            self._give(worker, self._queued.popleft())

    def _free_worker(self) -> Worker | None:
        if self._idle:
            return self._idle.popleft()
        if len(self._workers) == len(self._slots):
            return None
        # one more process only when there is a run for it
        worker = Worker(self._slots[len(self._workers)], self._context)
        self._workers.append(worker)
        return worker

    def _give(self, worker: Worker, spec: RunSpec) -> None:
        minutes = self._options.timeout_min
        limit = None if minutes is None else 60 * minutes
        limited = replace(spec, slot=worker.slot, time_limit=limit, is_silent=True)
        future = worker.submit(self._train, limited, timeout=limit and limit + GRACE_SECONDS)
        self._running[str(spec.run_id)] = future
        future.add_done_callback(lambda done: self._finished.put((worker, spec, done)))

    def _handle_finished(
        self, worker: Worker, spec: RunSpec, future: "Future[WorkerResult]"
    ) -> Mapping[str, Exception | None]:
        run_id = str(spec.run_id)
        del self._running[run_id]
        result = result_of(future)
        self._idle.append(worker)
        if result.kind == "killed":  # the process could not record it
            fail_dead_run(spec.runs, run_id, result.message)
        if result.kind == "lost" and run_id not in self._lost:  # not the run's fault: once more
            self._lost.add(run_id)
            self._queued.appendleft(spec)
            self._assign()
            return {}
        self._assign()
        return {run_id: error_of(result)}

    def _send(self, command: str) -> None:
        for worker in self._workers:
            worker.send(command)
