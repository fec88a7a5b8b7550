"""A worker returns a result whatever a run raises: the sweep must not see an exception."""

import os
import signal
from collections.abc import Callable

import pytest

from cifar_exp.errors import EnvironmentFailure, Interrupted, UserError
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunSpec
from cifar_exp.sweeps.launchers.local import worker


class OwnError(BaseException):
    """A user's own exception that is not an Exception."""


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (SystemExit(0), "crashed", "SystemExit: 0"),
        (SystemExit(3), "crashed", "SystemExit: 3"),
        (OwnError("odd"), "crashed", "OwnError: odd"),
        (RuntimeError("the roof fell in"), "crashed", "RuntimeError: the roof fell in"),
        (UserError("a mistake"), "mistake", "a mistake"),
        (EnvironmentFailure("a full disk"), "environment", "a full disk"),
        (Interrupted(signal.SIGTERM), "stopped", "asked to stop"),
        (
            Interrupted(signal.SIGALRM),
            "stopped",
            "reached its time limit of 1.5 min (hydra.launcher.timeout_min)",
        ),
        (KeyboardInterrupt(), "stopped", "asked to stop"),
    ],
    ids=repr,
)
def test_whatever_a_run_raises_is_a_result(
    small_settings: Callable,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    kind: str,
    message: str,
) -> None:
    def execute(*_: object) -> None:
        raise error

    monkeypatch.setattr(worker, "execute", execute)
    answer = worker.train(RunSpec(small_settings(), "tiny", (), time_limit=90.0))
    assert answer.kind == kind
    assert answer.message.rstrip().endswith(message)


@pytest.mark.parametrize("was_signaled", [False, True])
def test_a_command_to_stop_is_passed_on_unless_the_run_has_a_signal_already(
    monkeypatch: pytest.MonkeyPatch, was_signaled: bool
) -> None:
    sent: list[tuple[int, int]] = []
    state = worker._WorkerState()
    state.is_busy = True
    monkeypatch.setattr(worker, "_state", state)
    with stop_on_signals() as stop:
        if was_signaled:  # SIGTERM for the whole process group
            stop.signum = signal.SIGTERM
        monkeypatch.setattr(os, "kill", lambda *call: sent.append(call))
        worker._stop()
        worker._stop()  # a second command changes nothing
    assert sent == ([] if was_signaled else [(os.getpid(), signal.SIGTERM)])
    assert state.is_stopping
