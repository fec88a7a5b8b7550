"""A worker process: trains one run after another.

Commands arrive through a pipe; when the sweep's process dies the pipe closes, which means stop.
SIGINT is blocked here: the sweep handles it.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

from cifar_exp.data.registry import Loader
from cifar_exp.errors import STOPS, EnvironmentFailure, Interrupted, UserError
from cifar_exp.runs.execute import execute
from cifar_exp.runs.signals import StopRequest, stop_on_signals
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.lock import RunLockedError

STOP, KILL = "stop", "kill"
GRACE_SECONDS = 60.0  # for the step in progress, and to save

Kind = Literal[
    "recorded", "stopped", "locked", "mistake", "environment", "crashed", "killed", "lost"
]


@dataclass(frozen=True)
class WorkerResult:
    """How a run ended: `recorded` in its folder, or else the `message` gives the reason.

    Of a `killed` run the process died, of a `lost` one before the run began.
    """

    kind: Kind
    message: str = ""


class _WorkerState:
    """Whether the process is training, and whether it must not begin another run."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_busy = self.is_stopping = False


_state = _WorkerState()
_load = Loader()


def initialize(commands: Connection) -> None:
    """Start listening for commands."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(
        target=_handle_commands, args=(commands,), name="commands", daemon=True
    ).start()


def accelerators() -> list[str]:
    """The devices other than the CPU: `cuda:0`, `cuda:1`, or `mps`."""
    from cifar_exp.training.devices import available_devices

    names = ["cuda:0" if name == "cuda" else name for name in available_devices()]
    return [name for name in names if name != "cpu"]


def train(spec: RunSpec) -> WorkerResult:
    """Train a run, or the rest of it. Its outcome is recorded in its folder."""
    try:
        with stop_on_signals():  # from now on a command to stop saves the run
            return _train(spec)
    except BaseException as error:  # the pool would raise SystemExit in the sweep's process
        return result_of_error(spec, error)


def result_of_error(spec: RunSpec, error: BaseException) -> WorkerResult:
    """How a run ended that raised this error."""
    if isinstance(error, STOPS):
        return WorkerResult("stopped", message=_stopped(spec, error))
    kinds: Mapping[type[Exception], Kind] = {
        RunLockedError: "locked",
        UserError: "mistake",
        EnvironmentFailure: "environment",
    }
    kind = next((kinds[each] for each in kinds if isinstance(error, each)), None)
    if kind is not None:
        return WorkerResult(kind, message=str(error))
    return WorkerResult("crashed", message="".join(traceback.format_exception(error)))


def _stopped(spec: RunSpec, stop: BaseException) -> str:
    if isinstance(stop, Interrupted) and stop.is_time_limit:
        minutes = (spec.time_limit or 0) / 60
        return f"reached its time limit of {minutes:g} min (hydra.launcher.timeout_min)"
    return "asked to stop"


def _train(spec: RunSpec) -> WorkerResult:
    with _state.lock:
        if _state.is_stopping:
            return WorkerResult("stopped", message="stopped before the run began")
        _state.is_busy = True
    try:
        execute(spec, _load)
        return WorkerResult("recorded")
    finally:
        with _state.lock:  # no signal is sent after this, which would end the process
            _state.is_busy = False


def _handle_commands(commands: Connection) -> None:
    while True:
        try:
            command = commands.recv()
        except (EOFError, OSError):
            break
        if command == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        _stop()
    _stop()
    deadline = time.monotonic() + GRACE_SECONDS
    while _state.is_busy and time.monotonic() < deadline:
        time.sleep(0.05)
    os._exit(1)  # the sweep's process is gone: nobody waits for a result


def _stop() -> None:
    with _state.lock:
        if _state.is_busy and not _state.is_stopping and not _was_signaled():
            os.kill(os.getpid(), signal.SIGTERM)
        _state.is_stopping = True


def _was_signaled() -> bool:
    """Whether the run has a signal already: a second one would end it before it is saved.

    A SIGTERM for the whole process group reaches the worker before the sweep's command does.
    """
    request = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return isinstance(request, StopRequest) and request()
