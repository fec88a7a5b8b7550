"""Many specs on a few worker processes, each of which makes one run at a time."""

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.context import ForkServerContext, ForkServerProcess
from queue import SimpleQueue
from typing import Any

from pebble import ProcessExpired, ProcessPool

from cifar_exp.errors import Interrupted
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.sweeps.launchers.local import worker as inside
from cifar_exp.sweeps.launchers.local.worker import GRACE_SECONDS, KILL, STOP, WorkerResult

# Workers are forked from a server that has imported torch once: a new one takes milliseconds.
# torch._dynamo is imported by the first optimizer, which takes a second.
PRELOADED = ("cifar_exp.runs.runner", "cifar_exp.sweeps.launchers.local.worker", "torch._dynamo")

EXITED_WITH_0 = 256  # no process can end with it

Train = Callable[[RunSpec], WorkerResult]


class WorkerProcess(ForkServerProcess):
    """A process whose end is never taken for a regular one.

    pebble waits for ever for the answer of a process that ended with exit code 0, which it takes
    for one that has made its number of runs. Ours have no such number.
    """

    @property
    def exitcode(self) -> int | None:
        """As of any process, but `EXITED_WITH_0` for 0."""
        code = super().exitcode
        return EXITED_WITH_0 if code == 0 else code


class _Context(ForkServerContext):
    Process = WorkerProcess


class Worker:
    """A process that makes runs in its slot, and is made anew when it dies."""

    def __init__(self, slot: Slot, context: Any) -> None:
        self.slot, self._context = slot, context
        self._reader, self._orders = context.Pipe(duplex=False)
        self._pool = self._new_pool()

    def ask(
        self, function: Callable[..., Any], *arguments: Any, timeout: float | None = None
    ) -> Any:
        """A future of the function's answer, which the process gives."""
        try:
            return self._pool.schedule(function, arguments, timeout=timeout)
        except RuntimeError:  # the process died between two runs, and the pool with it
            self._pool = self._new_pool()
            return self._pool.schedule(function, arguments, timeout=timeout)

    def order(self, what: str) -> None:
        """Have the run in progress saved and stopped, or the process killed."""
        self._orders.send(what)

    def close(self) -> None:
        """End the process; a run in progress is stopped first."""
        self._pool.close()  # type: ignore[no-untyped-call]
        self._orders.close()
        self._pool.join()
        self._reader.close()

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=1, initializer=inside.begin, initargs=(self._reader,), context=self._context
        )


def run_all(
    specs: Sequence[RunSpec],
    divide: Callable[[list[str]], list[Slot]],
    told: Callable[[int, WorkerResult], None],
    train: Train = inside.train,
) -> None:
    """Make the runs in the given order, as many at a time as `divide` makes slots.

    `divide` is given the accelerators; `told` the number of a spec and its end, as it ends.
    Raises Interrupted after a signal, when all runs have saved and stopped; KeyboardInterrupt after
    a second one, at once.
    """
    devices = [spec.settings.trainer.device for spec in specs]
    with _workers(divide, devices) as workers, stop_on_signals() as stop:
        crew = _Dispatcher(workers, specs, told, train)
        try:
            while crew.is_busy:
                finished = crew.next_finished()
                with stop.deferred():
                    crew.take(*finished)
        except Interrupted:
            crew.stop()
            raise
        except KeyboardInterrupt:
            crew.kill()
            raise


class _Dispatcher:
    """The workers with what they are doing."""

    def __init__(
        self,
        workers: Sequence[Worker],
        specs: Sequence[RunSpec],
        told: Callable[[int, WorkerResult], None],
        train: Train,
    ) -> None:
        self.workers, self.specs, self.told, self.train = workers, specs, told, train
        self.waiting = deque(range(len(specs)))
        self.finished: SimpleQueue[tuple[Worker, int, Future[WorkerResult]]] = SimpleQueue()
        self.futures: dict[int, Future[WorkerResult]] = {}
        for worker in workers:
            self._give(worker)

    @property
    def is_busy(self) -> bool:
        return bool(self.futures)

    def next_finished(self) -> tuple[Worker, int, Future[WorkerResult]]:
        """Waits until a worker is done."""
        return self.finished.get()

    def take(self, worker: Worker, index: int, future: Future[WorkerResult]) -> None:
        """Tell what came of a spec, and give the worker the next one."""
        del self.futures[index]
        ended = _answer(future)
        if ended.kind == "outside":  # the disk is full, the data cannot be had: so for all
            self.waiting.clear()
        self._give(worker)
        self.told(index, ended)

    def stop(self) -> None:
        """Have all runs saved and stopped, and wait for that. KeyboardInterrupt: at once."""
        try:
            for worker in self.workers:
                worker.order(STOP)
            wait(self.futures.values(), timeout=GRACE_SECONDS)
        except KeyboardInterrupt:
            self.kill()
            raise

    def kill(self) -> None:
        """End all processes as they are."""
        for worker in self.workers:
            worker.order(KILL)

    def _give(self, worker: Worker) -> None:
        if not self.waiting:
            return
        index = self.waiting.popleft()
        spec = replace(self.specs[index], slot=worker.slot, is_silent=True)
        limit = spec.time_limit
        future = worker.ask(self.train, spec, timeout=limit and limit + GRACE_SECONDS)
        self.futures[index] = future
        future.add_done_callback(lambda done: self.finished.put((worker, index, done)))


@contextmanager
def _workers(
    divide: Callable[[list[str]], list[Slot]], devices: Sequence[str]
) -> Iterator[list[Worker]]:
    context = _Context()
    context.set_forkserver_preload(list(PRELOADED))
    workers = [Worker(Slot(), context)]
    try:
        asked = set(devices) - {"cpu"}
        accelerators = workers[0].ask(inside.accelerators).result() if asked else []
        first, *others = divide(accelerators)
        workers[0].slot = first
        workers += [Worker(slot, context) for slot in others]
        yield workers
    finally:
        for worker in workers:
            worker.close()


def _answer(future: "Future[WorkerResult]") -> WorkerResult:
    try:
        return future.result()
    except ProcessExpired as death:
        code = int(death.exitcode or 0)
        return WorkerResult("killed", message=f"its process {death.pid} {_cause(code)}")
    except TimeoutError:
        return WorkerResult("killed", message="it did not stop at its time limit and was killed")
    except BrokenProcessPool:
        return WorkerResult("killed", message="its process died before it began")


def _cause(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {0 if code == EXITED_WITH_0 else code}"
    name = signal.Signals(-code).name
    hint = ", perhaps by the system for want of memory" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"
