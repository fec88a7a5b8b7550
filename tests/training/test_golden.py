"""The first steps' losses at a fixed seed. A refactor reproduces them.

If they change, raise identity.NUMERICS, say so in the changelog, and write down the new ones. The
tolerance lets other processors pass: they add up in another order, and the difference grows from
step to step.
"""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cifar_exp.config.schema import Settings
from cifar_exp.data import shapes
from cifar_exp.data.dataset import Dataset, ImageSet
from cifar_exp.runs.assembly import Compute, make_parts

STEPS, BATCH = 6, 100
GOLDEN = {
    "data=shapes model=tiny": [4.87306, 4.78629, 4.75818, 4.76469, 4.82693, 4.81893],
    "data=shapes experiment=notebook model.width=8": [
        4.67857,
        4.71686,
        4.70567,
        4.71322,
        4.69801,
        4.68719,
    ],
    "data=shapes model=tiny optimizer=muon scheduler=cosine augmentation=strong": [
        4.77177,
        4.73364,
        4.78192,
        4.73797,
        4.76267,
        4.73583,
    ],
}


def shapes_part() -> Dataset:
    def draw(count: int, seed: int) -> ImageSet:
        return shapes.draw_set(count, 32, seed, lambda *_: None)

    return Dataset("shapes", "", shapes.class_names(), None, train=draw(1000, 1), test=draw(100, 2))


def first_losses(settings: Settings) -> list[float]:
    compute = Compute(torch.device("cpu"), "fp32", 1)
    loop = make_parts(settings, shapes_part(), compute, Path()).loop
    totals = [0.0]
    while len(totals) <= STEPS:
        assert loop.train_epoch(lambda: True) is None  # stop after every step
        totals.append(float(loop.state_dict()["sums"]["loss"]) / BATCH)
    return [after - before for before, after in itertools.pairwise(totals)]


@pytest.mark.parametrize("command", GOLDEN)
def test_the_first_steps_losses_are_as_ever(
    make_settings: Callable[..., Settings], command: str
) -> None:
    # one epoch: the rate is at its highest within the steps that are looked at
    settings = make_settings(*command.split(), f"trainer.batch_size={BATCH}", "trainer.epochs=1")
    assert first_losses(settings) == pytest.approx(GOLDEN[command], rel=2e-3)
