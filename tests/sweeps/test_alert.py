"""The user's command at a sweep's end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.errors import EnvironmentFailure, Interrupted
from cifar_exp.sweeps.alert import alert
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.trial import Trial

TOLD = 'echo "$CIFAR_EXP_STATUS $CIFAR_EXP_EXIT_CODE $CIFAR_EXP_SWEEP" > told'


@pytest.fixture
def plan_of(
    make_settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Plan]:
    monkeypatch.chdir(tmp_path)

    def make(command: str) -> Plan:
        settings = make_settings().model_copy(update={"on_end": command})
        return Plan("mine", (), [], 0, {}, example=Trial(settings, "tiny", (), {}))

    return make


@pytest.mark.parametrize(
    ("exit_code", "status"), [(0, "done"), (1, "failed"), (130, "interrupted")]
)
def test_the_command_is_told_how_the_sweep_ended(
    plan_of: Callable[[str], Plan], tmp_path: Path, exit_code: int, status: str
) -> None:
    with alert(plan_of(TOLD)) as alarm:
        alarm.exit_code = exit_code
    folder = tmp_path / "outputs" / "sweeps" / "mine"
    assert Path("told").read_text() == f"{status} {exit_code} {folder}\n"


@pytest.mark.parametrize(
    ("error", "told"), [(Interrupted(15), "interrupted 143"), (EnvironmentFailure("x"), "failed 1")]
)
def test_the_command_is_told_of_an_error_that_ends_the_sweep(
    plan_of: Callable[[str], Plan], error: BaseException, told: str
) -> None:
    with pytest.raises(type(error)), alert(plan_of(TOLD)):
        raise error
    assert Path("told").read_text().startswith(told)


def test_a_command_that_fails_changes_nothing_else(
    plan_of: Callable[[str], Plan], capfd: pytest.CaptureFixture[str]
) -> None:
    with alert(plan_of("exit 3")) as alarm:
        alarm.exit_code = 0
    assert capfd.readouterr().err == "note     on_end: ended with exit code 3\n"


def test_nothing_is_told_of_a_sweep_that_goes_on_in_a_cluster(
    plan_of: Callable[[str], Plan],
) -> None:
    with alert(plan_of(TOLD)):
        pass
    assert not Path("told").exists()
