"""The losses of the first steps at a fixed seed. A refactoring reproduces them.

If they change, raise identity.NUMERICS, say so in the changelog, and write down the new ones.

Everything is computed in float64: processors, libraries and thread counts add up in different
orders, and training multiplies the difference from step to step. In float64 it stays below 1e-11
between SSE4, AVX2 and AVX-512, and between 1, 2 and 4 threads. The images are drawn with integers,
which are the same everywhere.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor

from cifar_exp.config.schema import Settings
from cifar_exp.data import shapes
from cifar_exp.data.dataset import Dataset, ImageSet
from cifar_exp.data.device_splits import split_dataset
from cifar_exp.data.normalization import Normalization
from cifar_exp.models import whitening
from cifar_exp.runs.build import Compute, make_network, make_trainer
from cifar_exp.training import muon

STEPS, BATCH, TOLERANCE = 6, 100, 1e-8
TINY = "data=shapes model=tiny"
NOTEBOOK = "data=shapes experiment=notebook model.width=8"
STRONG = "data=shapes model=tiny optimizer=muon scheduler=cosine augmentation=strong"
MIXED = (
    "data=shapes model=tiny model.dropout=0.1 optimizer=adamw scheduler=constant augmentation=none "
    "augmentation.flip=random augmentation.mixup=0.4 trainer.gradient_clip=0.5"
)
GOLDEN = {
    TINY: [
        4.84156018564,
        4.62651212357,
        4.69049461740,
        4.54074498139,
        4.17857141837,
        4.44200952811,
    ],
    NOTEBOOK: [
        4.79655497627,
        4.70608364855,
        4.77326211888,
        4.72425835799,
        4.58383190519,
        4.61714579759,
    ],
    STRONG: [
        4.79168310399,
        4.78333628791,
        4.75468998899,
        4.72136785137,
        4.71259540863,
        4.64366654493,
    ],
    MIXED: [
        4.82353565375,
        4.69287865303,
        4.75347451932,
        4.80300964829,
        4.61408808858,
        4.62625768778,
    ],
}


def draw_images(count: int, seed: int) -> ImageSet:
    """Slanted bars, whose direction and color are those of a class, and noise: integers only."""
    generator = np.random.RandomState(seed)
    labels = np.arange(count, dtype=np.int64) % 100
    across, along, channel = np.ogrid[:32, :32, :3]
    steps = labels[:, None, None, None] + 1
    start = generator.randint(0, 256, (count, 1, 1, 1))
    bars = (start + across * (steps % 11) + along * (steps % 7) + channel * steps) % 256
    noise = generator.randint(0, 64, (count, 32, 32, 3))
    return ImageSet(((bars * 3 + noise * 4) // 4).astype(np.uint8), labels)


def dataset() -> Dataset:
    train, test = draw_images(1000, seed=1), draw_images(100, seed=2)
    return Dataset("shapes", "", shapes.class_names(), None, train=train, test=test)


@contextmanager
def float64_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def first_losses(settings: Settings) -> list[float]:
    compute = Compute(torch.device("cpu"), "fp32", 1)
    splits = split_dataset(dataset(), settings.data, compute.device)
    normalization = Normalization.fit(splits.train.sample(), torch.float64)
    with float64_by_default():
        network = make_network(settings, 100)
    trainer = make_trainer(settings, network, splits, normalization, compute)
    totals = [0.0]
    while len(totals) <= STEPS:
        assert list(trainer.fit(lambda: True)) == []  # stop after every step
        totals.append(float(trainer.state_dict()["totals"]["loss"]) / BATCH)
    return [after - before for before, after in itertools.pairwise(totals)]


def dropout(x: Tensor, p: float, training: bool, _inplace: bool) -> Tensor:
    """Dropout by uniform draws: torch's own draws depend on the processor and on MKL."""
    return x * (torch.rand_like(x) >= p) / (1 - p) if training else x


@pytest.fixture
def losses(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[float]]:
    """The first losses of a recipe, after changes to its settings."""
    monkeypatch.setattr("torch.nn.functional.dropout", dropout)
    # one epoch: the rate reaches its highest value within these steps
    run = (f"trainer.batch_size={BATCH}", "trainer.epochs=1")
    return lambda recipe, *changes: first_losses(make_settings(*recipe.split(), *run, *changes))


@pytest.mark.parametrize("recipe", GOLDEN)
def test_the_losses_of_the_first_steps_stay_the_same(
    losses: Callable[..., list[float]], recipe: str
) -> None:
    assert losses(recipe) == pytest.approx(GOLDEN[recipe], rel=TOLERANCE)


@pytest.mark.parametrize(
    ("recipe", "change"),
    [
        (TINY, "optimizer.momentum=0.901"),
        (NOTEBOOK, "model.dropout=0.251"),
        (STRONG, "augmentation.jitter=0.201"),
        (MIXED, "augmentation.mixup=0.401"),
    ],
)
def test_a_small_change_of_one_setting_moves_the_losses_far_beyond_the_tolerance(
    losses: Callable[..., list[float]], recipe: str, change: str
) -> None:
    assert losses(recipe, change) != pytest.approx(GOLDEN[recipe], rel=100 * TOLERANCE)


def test_a_small_change_of_the_whitening_constant_moves_them_too(
    losses: Callable[..., list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whiten = whitening.whitening_filters
    monkeypatch.setattr(whitening, "whitening_filters", lambda x, eps: whiten(x, eps * 1.01))
    assert losses(TINY) != pytest.approx(GOLDEN[TINY], rel=100 * TOLERANCE)


def test_a_small_change_of_a_constant_of_muon_moves_them_too(
    losses: Callable[..., list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = muon.QUINTIC
    monkeypatch.setattr(muon, "QUINTIC", (first + 0.0001, *others))
    assert losses(STRONG) != pytest.approx(GOLDEN[STRONG], rel=100 * TOLERANCE)
