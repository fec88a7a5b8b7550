"""A sweep whose runs are trained in the test's process."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.sweeps.plan import make_plan
from cifar_exp.sweeps.sweep import Sweep
from cifar_exp.sweeps.trial import Grid, Trial


@pytest.fixture
def trial(small_settings: Callable[..., Settings]) -> Callable[[float], Trial]:
    """A trial of one step with this learning rate, without validation."""

    def make(rate: float) -> Trial:
        overrides = (
            f"optimizer.lr={rate}",
            "data.val_fraction=0",
            "trainer.batch_size=100000",
            "trainer.epochs=1",
            "trainer.progress=none",
            "report=false",
        )
        return Trial(small_settings(*overrides), "tiny", overrides, {"optimizer.lr": rate})

    return make


def test_a_run_whose_loss_the_last_step_breaks_is_listed_and_not_tried_again(
    trial: Callable[[float], Trial],
    in_process: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid = Grid([trial(0.01), trial(1e30)], ("optimizer.lr",), is_sweep=True)
    plan = replace(make_plan(grid, lambda *_: None), outputs=tmp_path / "outputs")
    for _ in range(2):
        sweep = Sweep(plan, in_process, "python -m cifar_exp.train")
        told: list[str] = []
        monkeypatch.setattr(sweep.console, "print", lambda text, told=told, **_: told.append(text))
        assert sweep.run() == 1
        lines = [str(line) for line in told]
        assert any("1 completed, 1 diverged" in line for line in lines)
        message = "DivergedError: the train_eval loss is not finite after epoch 1"
        assert sum(message in line for line in lines) == 1
    assert sorted(in_process.trained) == sorted(plan.by_id)
