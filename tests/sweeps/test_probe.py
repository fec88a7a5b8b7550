from collections.abc import Callable
from typing import Any

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.runs.spec import Slot
from cifar_exp.sweeps.duration import TimingSample
from cifar_exp.sweeps.plan import PlannedRun
from cifar_exp.sweeps.probe import probe, probe_by, to_probe
from cifar_exp.sweeps.trial import Trial
from cifar_exp.training.cost import RunCost


@pytest.fixture
def run_of(make_settings: Callable[..., Settings]) -> Callable[..., PlannedRun]:
    """A run with this seed, and this cost per image."""
    settings = make_settings("data=shapes")

    def run(seed: int, per_image: float | None) -> PlannedRun:
        cost = None if per_image is None else RunCost(100.0, 100 * per_image)
        trial = Trial(settings.model_copy(update={"seed": seed}), "base", (), {})
        return PlannedRun(f"{seed:010d}", trial, cost)

    return run


def test_the_cheapest_and_the_dearest_run_are_timed(run_of: Callable[..., PlannedRun]) -> None:
    runs = [run_of(seed, cost) for seed, cost in enumerate([2.0, 1.0, None, 3.0, 2.5])]
    assert [settings.seed for settings in to_probe(runs)] == [1, 3]
    assert [settings.seed for settings in to_probe(runs[:1])] == [0]
    assert to_probe([run_of(0, None)]) == []


def test_what_cannot_be_trained_here_is_left_out(
    run_of: Callable[..., PlannedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_step(settings: Settings, slot: Slot) -> tuple[float, float, int]:
        if settings.seed == 0:
            raise UserError("no such device")
        if settings.seed == 1:
            raise RuntimeError("can't allocate memory")
        return 1.0, 2.0, slot.threads or 8

    monkeypatch.setattr("cifar_exp.runs.probe.time_step", time_step)
    settings = [run_of(seed, 1.0).trial.settings for seed in range(3)]
    assert probe(settings, Slot(threads=3)) == [TimingSample(1.0, 2.0, 3)]


def test_a_process_that_dies_gives_no_sample() -> None:
    def dies(_function: Callable[[], Any]) -> Any:
        raise EnvironmentFailure("the first worker process died")

    assert probe_by(dies)([], Slot()) == []
    assert probe_by(lambda function: function())([], Slot()) == []
