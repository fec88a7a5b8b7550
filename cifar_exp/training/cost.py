"""How much a run computes, told by its settings before it begins and by its record after."""

from dataclasses import dataclass

from cifar_exp.config.schema import ConvNetSection, Settings
from cifar_exp.data.splits import TRAIN_EVAL
from cifar_exp.models.macs import convnet_macs
from cifar_exp.storage.record import DatasetInfo, RunRecord
from cifar_exp.training.resolution import ResolutionSchedule

PASSES = 3  # of a training image: forward, and backward at twice its price; else one
PETA = 1e15


@dataclass(frozen=True)
class RunCost:
    """What a run computes: 2 x MACs x passes / 1e15, evaluation included.

    `images` are those trained on, and a third of those looked at.
    """

    images: float
    pflop: float

    @property
    def per_image(self) -> float:
        """Work for one image."""
        return self.pflop / self.images


@dataclass(frozen=True)
class DatasetSizes:
    """Classes, and images in each part of the data."""

    classes: int
    train: int
    val: int
    test: int


def estimate_cost(settings: Settings, sizes: DatasetSizes) -> RunCost | None:
    """The cost of a run from its beginning to its end; None of a network not our own."""
    if not isinstance(settings.model, ConvNetSection):
        return None
    trainer, full = settings.trainer, settings.data.image_size
    resolution = ResolutionSchedule.of(trainer, full)
    sides, ends = [*resolution.sizes, full], [*resolution.until, 1.0]
    macs, begin = 0.0, 0.0
    for side, end in zip(sides, ends, strict=True):
        macs += (end - begin) * convnet_macs(settings.model, sizes.classes, side)
        begin = end
    images = trainer.epochs * sizes.train
    evaluated = trainer.epochs * (sizes.val + min(TRAIN_EVAL, sizes.train)) + sizes.test
    at_full = convnet_macs(settings.model, sizes.classes, full)
    return _cost(images, 2 * PASSES * macs * images / PETA, at_full, evaluated)


def spent_cost(record: RunRecord, epochs: int, is_tested: bool) -> RunCost:
    """The cost that went into a run's first `epochs`, and into its test."""
    data = record.dataset
    evaluated = epochs * images_evaluated_per_epoch(data) + (data.test_size if is_tested else 0)
    return _cost(epochs * data.train_size, record.compute.pflop, record.model.macs, evaluated)


def images_evaluated_per_epoch(data: DatasetInfo) -> int:
    """Images that are evaluated after each epoch."""
    return data.val_size + min(TRAIN_EVAL, data.train_size)


def _cost(images: int, pflop: float, macs: int, evaluated: int) -> RunCost:
    return RunCost(images + evaluated / PASSES, pflop + 2 * macs * evaluated / PETA)
