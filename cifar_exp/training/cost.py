"""How much a run computes, in PFLOP: estimated from its settings, or taken from its record."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cifar_exp.config.schema import ConvNetSection, Settings
from cifar_exp.data.splits import TRAIN_EVAL
from cifar_exp.models.macs import convnet_macs
from cifar_exp.training.resolution import ResolutionSchedule

TRAINING_PASSES = 3  # forward, and backward at twice its cost; evaluation is one pass
PETA = 1e15


@dataclass(frozen=True)
class RunCost:
    """The cost of a run: 2 x MACs x passes / 1e15, evaluation included.

    `images` counts those trained on, plus a third of those evaluated.
    """

    images: float
    pflop: float

    @property
    def per_image(self) -> float:
        """PFLOP per image."""
        return self.pflop / self.images


@dataclass(frozen=True)
class DatasetSizes:
    """Number of classes, and of images in each split."""

    classes: int
    train: int
    val: int
    test: int

    @property
    def evaluated_per_epoch(self) -> int:
        """Images evaluated after each epoch."""
        return self.val + min(TRAIN_EVAL, self.train)


def estimate_cost(settings: Settings, sizes: DatasetSizes) -> RunCost | None:
    """The cost of a whole run; None if the network is not a ConvNet of this package."""
    if not isinstance(settings.model, ConvNetSection):
        return None
    trainer, full = settings.trainer, settings.data.image_size
    resolution = ResolutionSchedule.of(trainer, full)
    macs = {
        size: convnet_macs(settings.model, sizes.classes, size)
        for size in (*resolution.sizes, full)
    }
    steps = trainer.epochs * max(1, -(-sizes.train // trainer.batch_size))
    images = trainer.epochs * sizes.train
    per_image = training_macs(resolution, macs, 0, steps, steps) / steps
    evaluated = trainer.epochs * sizes.evaluated_per_epoch + sizes.test
    return _cost(images, 2 * TRAINING_PASSES * per_image * images / PETA, macs[full], evaluated)


def training_macs(
    resolution: ResolutionSchedule, macs: Mapping[int, int], first: int, last: int, total: int
) -> int:
    """MACs of one image, forward, summed over steps `first` to `last` of `total`.

    Each step counts at its resolution; `macs` is by image size.
    """
    macs_sum, begin = 0, first
    for size, until in zip(resolution.sizes, resolution.until, strict=True):
        end = max(begin, min(_first_step(until, total), last))
        macs_sum += (end - begin) * macs[size]
        begin = end
    return macs_sum + (last - begin) * macs[resolution.full]


def _first_step(part: float, total: int) -> int:
    """The first step at or after a fraction of the run."""
    step = math.ceil(part * total)  # may be off by one, from rounding
    if (step - 1) / total >= part:
        return step - 1
    return step if step / total >= part else step + 1


def spent_cost(
    sizes: DatasetSizes, *, macs: int, training_pflop: float, epochs: int, is_tested: bool
) -> RunCost:
    """The cost of a run's first `epochs`, and of its test. `macs` of one image at full size."""
    evaluated = epochs * sizes.evaluated_per_epoch + (sizes.test if is_tested else 0)
    return _cost(epochs * sizes.train, training_pflop, macs, evaluated)


def _cost(images: int, pflop: float, macs: int, evaluated: int) -> RunCost:
    return RunCost(images + evaluated / TRAINING_PASSES, pflop + 2 * macs * evaluated / PETA)
