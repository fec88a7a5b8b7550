"""What a worker answers, whatever a run raises: nothing may reach the sweep as an exception."""

import signal
from collections.abc import Callable

import pytest

from cifar_exp.errors import EnvironmentFailure, Interrupted, UserError
from cifar_exp.runs.spec import RunSpec
from cifar_exp.sweeps.launchers.local import worker


class OwnError(BaseException):
    """A user's own, which is not an Exception."""


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
def test_whatever_a_run_raises_is_an_answer(
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
