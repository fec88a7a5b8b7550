"""A worker process: trains one run after another.

Commands arrive through a pipe; when the sweep's process dies the pipe closes, which means stop.
SIGINT is blocked here: the sweep handles it.
"""

import os
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

from cifar_exp.data.registry import Loader
from cifar_exp.errors import STOPS, EnvironmentFailure, UserError
from cifar_exp.runs.execute import execute
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.lock import RunLockedError

STOP, KILL = "stop", "kill"
GRACE_SECONDS = 60.0  # for the step in progress, and to save

Kind = Literal["recorded", "stopped", "locked", "mistake", "environment", "crashed", "killed"]


@dataclass(frozen=True)
class WorkerResult:
    """How a run ended: `recorded` in its folder, or else the `message` gives the reason."""

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
    """The devices besides the CPU: `cuda:0`, `cuda:1`, or `mps`."""
    from cifar_exp.training.devices import available_devices

    names = ["cuda:0" if name == "cuda" else name for name in available_devices()]
    return [name for name in names if name != "cpu"]


def train(spec: RunSpec) -> WorkerResult:
    """Train a run, or the rest of it. Its outcome is recorded in its folder."""
    try:
        with stop_on_signals():  # from now on a command to stop saves the run
            return _train(spec)
    except STOPS:
        return WorkerResult("stopped", message="asked to stop, or out of time")
    except RunLockedError as error:
        return WorkerResult("locked", message=str(error))
    except UserError as error:
        return WorkerResult("mistake", message=str(error))
    except EnvironmentFailure as error:
        return WorkerResult("environment", message=str(error))
    except BaseException:  # the pool would raise SystemExit in the sweep's process
        return WorkerResult("crashed", message=traceback.format_exc())


def _train(spec: RunSpec) -> WorkerResult:
    with _state.lock:
        if _state.is_stopping:
            return WorkerResult("stopped", message="stopped before the run began")
        _state.is_busy = True
    try:
        execute(spec, _load)
        return WorkerResult("recorded")
    finally:
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
    os._exit(1)  # the sweep is gone: nobody waits for a result


def _stop() -> None:
    with _state.lock:
        if _state.is_busy and not _state.is_stopping:
            os.kill(os.getpid(), signal.SIGTERM)
        _state.is_stopping = True
