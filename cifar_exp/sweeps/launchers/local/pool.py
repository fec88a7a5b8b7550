"""Worker processes on this machine, each of which trains one run at a time."""

import signal
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.failures import failure
from cifar_exp.sweeps.launchers.local import worker as inside
from cifar_exp.sweeps.launchers.local.worker import WorkerResult

# Workers are forked from a server that has imported torch once: a new one takes milliseconds.
PRELOADED = (
    "cifar_exp.runs.runner",
    "cifar_exp.sweeps.launchers.local.worker",
    "torch._dynamo",  # imported by the first optimizer, in a second or more
)
T = TypeVar("T")

EXITED_WITH_0 = 256  # no process can end with it
CLOSE_SECONDS = 10.0  # for a process to end by itself


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
        """Raises EnvironmentFailure if the system allows no more files."""
        self.slot, self._context = slot, context
        try:
            self._reader, self._commands = context.Pipe(duplex=False)
        except OSError as error:
            raise _cannot_start(error) from error
        self._pool = self._new_pool()

    def submit(
        self, function: Callable[..., Any], *arguments: Any, timeout: float | None = None
    ) -> "Future[Any]":
        """Call the function in the process. After `timeout` seconds the process is killed.

        Raises EnvironmentFailure if the process cannot be started.
        """
        try:
            future = self._schedule(function, arguments, timeout)
            # The process may die between two runs: before the call, or just as it is scheduled.
            # The pool is then broken, and might not even answer.
            if future is None or not self._pool.active:
                self._pool = self._new_pool()
                future = self._schedule(function, arguments, timeout)
        except (OSError, BrokenProcessPool) as error:
            raise _cannot_start(error) from error
        if future is None:
            raise EnvironmentFailure(
                "worker processes end as soon as they start; all runs are saved"
            )
        return future

    def call(self, function: Callable[[], T]) -> T:
        """Call the function in the process and wait. Raises EnvironmentFailure if that dies."""
        try:
            result: T = self.submit(function).result()
        except (ProcessExpired, BrokenProcessPool) as death:
            raise EnvironmentFailure(
                f"the first worker process died ({death}); all runs are saved: "
                "run the same command again to continue"
            ) from death
        return result

    def send(self, command: str) -> None:
        """Send STOP (save the current run and stop) or KILL."""
        self._commands.send(command)

    def close(self) -> None:
        """End the process, by force if it does not end in `CLOSE_SECONDS`."""
        self._pool.close()  # type: ignore[no-untyped-call]
        self._commands.close()
        try:
            self._pool.join(CLOSE_SECONDS)
        except TimeoutError:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
        self._reader.close()

    def _schedule(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], timeout: float | None
    ) -> "Future[Any] | None":
        try:
            return self._pool.schedule(function, arguments, timeout=timeout)
        except BrokenProcessPool:  # no process can be started
            raise
        except RuntimeError:  # the process has died
            return None

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
    except BrokenProcessPool as error:
        if isinstance(error.__cause__, OSError):
            return WorkerResult("environment", message=str(_cannot_start(error)))
        return WorkerResult("lost", message="its process died before the run began")


def _cannot_start(error: Exception) -> UserError | EnvironmentFailure:
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError):
        return failure(cause, Path("outputs"), "no worker process can start, all runs are saved")
    return EnvironmentFailure(f"no worker process can start ({error!r}); all runs are saved")


def _cause(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {0 if code == EXITED_WITH_0 else code}"
    known = -code in set(signal.Signals)
    name = signal.Signals(-code).name if known else f"signal {-code}"
    hint = ", perhaps by the system because memory ran out" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"
