"""The inside of a worker process: one run after another, under the orders of the sweep.

Orders come through a pipe of which the sweep's process holds the only other end: its death, however
it dies, is read as the order to stop. Ctrl-C is the sweep's business alone.
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

Kind = Literal["ended", "stopped", "held", "mistake", "outside", "crashed", "killed"]


@dataclass(frozen=True)
class WorkerResult:
    """How a worker is done with a run: `message` says why where it has no end of its own."""

    kind: Kind
    metric: float | None = None
    message: str = ""


class _WorkerState:
    """Whether the process is training, and whether it may begin another run."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_busy = self.is_over = False


_state = _WorkerState()
_load = Loader()


def begin(orders: Connection) -> None:
    """Start the worker: from here on it obeys `orders`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=_handle_commands, args=(orders,), name="orders", daemon=True).start()


def accelerators() -> list[str]:
    """The devices beside the CPU: `cuda:0`, `cuda:1`, or `mps`."""
    from cifar_exp.training.devices import available_devices

    names = ["cuda:0" if name == "cuda" else name for name in available_devices()]
    return [name for name in names if name != "cpu"]


def train(spec: RunSpec) -> WorkerResult:
    """Train a run, or what is missing of it. What became of it stands in its folder."""
    try:
        with stop_on_signals():  # from here on no order ends the process unsaved
            return _train(spec)
    except STOPS:
        return WorkerResult("stopped", message="asked to stop, or out of time")
    except RunLockedError as error:
        return WorkerResult("held", message=str(error))
    except UserError as error:
        return WorkerResult("mistake", message=str(error))
    except EnvironmentFailure as error:
        return WorkerResult("outside", message=str(error))
    except BaseException:  # the pool would raise SystemExit in the sweep's process
        return WorkerResult("crashed", message=traceback.format_exc())


def _train(spec: RunSpec) -> WorkerResult:
    with _state.lock:
        if _state.is_over:
            return WorkerResult("stopped", message="not begun")
        _state.is_busy = True
    try:
        return WorkerResult("ended", execute(spec, _load).record.metric)
    finally:
        _state.is_busy = False


def _handle_commands(orders: Connection) -> None:
    while True:
        try:
            order = orders.recv()
        except (EOFError, OSError):
            break
        if order == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        _stop()
    _stop()
    deadline = time.monotonic() + GRACE_SECONDS
    while _state.is_busy and time.monotonic() < deadline:
        time.sleep(0.05)
    os._exit(1)  # the sweep is gone: nobody waits for an answer


def _stop() -> None:
    with _state.lock:
        if _state.is_busy and not _state.is_over:
            os.kill(os.getpid(), signal.SIGTERM)
        _state.is_over = True
