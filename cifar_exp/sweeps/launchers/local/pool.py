"""Worker processes on this machine, each of which trains one run at a time."""

import signal
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from pebble import ProcessExpired, ProcessPool

from cifar_exp.runs.spec import Slot
from cifar_exp.sweeps.launchers.local import worker as inside
from cifar_exp.sweeps.launchers.local.worker import WorkerResult

# Workers are forked from a server that has imported torch once: a new one takes milliseconds.
PRELOADED = (
    "cifar_exp.runs.runner",
    "cifar_exp.sweeps.launchers.local.worker",
    "torch._dynamo",  # imported by the first optimizer, in a second or more
)

EXITED_WITH_0 = 256  # no process can end with it


class WorkerProcess(ForkServerProcess):
    """A process whose end always counts as unexpected.

    pebble waits forever for the answer of a process that ended with exit code 0: it assumes that
    the process has served its number of calls. Ours have no such number.
    """

    @property
    def exitcode(self) -> int | None:
        """As of any process, but `EXITED_WITH_0` for 0."""
        code = super().exitcode
        return EXITED_WITH_0 if code == 0 else code


class _Context(ForkServerContext):
    Process = WorkerProcess


def fork_server() -> ForkServerContext:
    """The context from which all workers are forked."""
    context = _Context()
    context.set_forkserver_preload(list(PRELOADED))
    return context


class Worker:
    """A process that trains runs in its slot; it is replaced when it dies."""

    def __init__(self, slot: Slot, context: ForkServerContext) -> None:
        self.slot, self._context = slot, context
        self._reader, self._commands = context.Pipe(duplex=False)
        self._pool = self._new_pool()

    def submit(
        self, function: Callable[..., Any], *arguments: Any, timeout: float | None = None
    ) -> "Future[Any]":
        """Call the function in the process. After `timeout` seconds the process is killed."""
        try:
            return self._pool.schedule(function, arguments, timeout=timeout)
        except RuntimeError:  # the process died between two runs, and the pool with it
            self._pool = self._new_pool()
            return self._pool.schedule(function, arguments, timeout=timeout)

    def send(self, command: str) -> None:
        """Send STOP (save the current run and stop) or KILL."""
        self._commands.send(command)

    def close(self) -> None:
        """End the process; a run in progress is stopped first."""
        self._pool.close()  # type: ignore[no-untyped-call]
        self._commands.close()
        self._pool.join()
        self._reader.close()

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=1,
            initializer=inside.initialize,
            initargs=(self._reader,),
            context=self._context,
        )


def result_of(future: "Future[WorkerResult]") -> WorkerResult:
    """What a finished call returned, or how its process died."""
    try:
        return future.result()
    except ProcessExpired as death:
        code = int(death.exitcode or 0)
        return WorkerResult("killed", message=f"its process {death.pid} {_cause(code)}")
    except TimeoutError:
        return WorkerResult("killed", message="it did not stop at its time limit and was killed")
    except BrokenProcessPool:
        return WorkerResult("killed", message="its process died before the run began")


def _cause(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {0 if code == EXITED_WITH_0 else code}"
    name = signal.Signals(-code).name
    hint = ", perhaps by the system because memory ran out" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"
