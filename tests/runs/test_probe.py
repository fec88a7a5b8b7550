from collections.abc import Callable

import pytest
import torch

from cifar_exp.config.schema import ConvNetSection, Settings
from cifar_exp.data.batches import Batch
from cifar_exp.models.macs import convnet_macs
from cifar_exp.runs import probe
from cifar_exp.runs.probe import time_step
from cifar_exp.runs.spec import Slot
from cifar_exp.training.trainer import Trainer


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the batches that are trained on."""
    shapes: list[tuple[int, ...]] = []
    train = Trainer._train_step

    def step(self: Trainer, batch: Batch) -> None:
        shapes.append(tuple(batch.images.shape))
        train(self, batch)

    monkeypatch.setattr(Trainer, "_train_step", step)
    return shapes


def test_a_step_is_timed_with_the_runs_own_recipe_at_full_size(
    small_settings: Callable[..., Settings], batches: list[tuple[int, ...]]
) -> None:
    settings = small_settings("trainer.threads=auto")
    per_image, seconds, threads = time_step(settings, Slot(threads=1))
    assert isinstance(settings.model, ConvNetSection)
    assert per_image == 6 * convnet_macs(settings.model, 100, 16) / 1e15
    assert 0 < seconds < 60
    assert threads == 1
    assert {shape[1:] for shape in batches} == {(3, 16, 16)}
    assert {shape[0] for shape in batches} <= {8, 16}  # no more images than a step of the run has


def test_the_batch_grows_until_a_step_is_long_enough(
    small_settings: Callable[..., Settings],
    batches: list[tuple[int, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = small_settings("trainer.batch_size=300")
    lengths = iter([0.01, 0.2])
    monkeypatch.setattr(probe, "_shortest", lambda _ends: next(lengths))
    _, seconds, _ = time_step(settings, Slot())
    assert [shape[0] for shape in batches] == [8] * 3 + [32] * 3
    assert seconds == 0.2 / 32


@pytest.mark.parametrize("scheduler", ["one_cycle", "cosine", "step", "plateau", "constant"])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_every_recipe_can_be_timed(
    small_settings: Callable[..., Settings], scheduler: str, optimizer: str
) -> None:
    changes = (f"scheduler={scheduler}", f"optimizer={optimizer}", "augmentation=strong")
    assert time_step(small_settings(*changes, "trainer.ema=0.9"), Slot())[1] > 0
    assert torch.get_num_threads() >= 1
