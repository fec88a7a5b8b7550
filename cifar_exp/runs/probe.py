"""How long a training step takes on this machine, measured with images of noise."""

import time
from collections.abc import Sequence
from itertools import pairwise

import torch

from cifar_exp.config.schema import ConvNetSection, Settings
from cifar_exp.data.device_splits import Split, Splits
from cifar_exp.data.normalization import Normalization
from cifar_exp.models.macs import convnet_macs
from cifar_exp.runs.build import Compute, make_network, make_trainer, prepare_compute
from cifar_exp.runs.spec import Slot
from cifar_exp.training.cost import PETA, TRAINING_PASSES
from cifar_exp.training.devices import synchronize

CLASSES = 100  # their number hardly matters
BATCH_SIZES = (8, 32, 128, 512)  # tried in turn, until a step is long enough to be timed
LONG_SECONDS = 0.15
STEPS = 3  # the first is slower: memory is allocated, kernels are chosen


def time_step(settings: Settings, slot: Slot) -> tuple[float, float, int]:
    """PFLOP and seconds per training image, and the threads used, of a network of this package.

    Images are of full size, and a batch is no larger than it must be, so that this takes about a
    second even where a step of the run takes minutes. Raises UserError where no run could train.
    """
    assert isinstance(settings.model, ConvNetSection)
    compute = prepare_compute(settings, slot=slot)
    wanted = settings.trainer.batch_size
    sizes = [size for size in BATCH_SIZES if size < wanted] + [wanted]
    for size in sizes:
        seconds = _step_seconds(_shortened(settings, size), size, compute)
        if seconds >= LONG_SECONDS:
            break
    macs = convnet_macs(settings.model, CLASSES, settings.data.image_size)
    return 2 * TRAINING_PASSES * macs / PETA, seconds / size, compute.threads


def _shortened(settings: Settings, batch_size: int) -> Settings:
    """The same recipe for few steps, at full size, and not compiled, which takes a minute."""
    changes = {
        "epochs": 1,
        "batch_size": batch_size,
        "resolution_scales": (),
        "resolution_until": (),
        "compile": False,
    }
    trainer = settings.trainer.model_copy(update=changes)
    return settings.model_copy(update={"trainer": trainer, "init_from": None})


def _step_seconds(settings: Settings, batch_size: int, compute: Compute) -> float:
    splits = _noise(STEPS * batch_size, settings.data.image_size, compute.device)
    normalization = Normalization.fit(splits.train.images)
    network = make_network(settings, CLASSES)
    trainer = make_trainer(settings, network, splits, normalization, compute)
    ends: list[float] = []

    def after_step() -> None:
        synchronize(compute.device)
        ends.append(time.perf_counter())

    for _ in trainer.fit(lambda: len(ends) == STEPS, after_step):
        pass
    return _shortest(ends)


def _noise(count: int, side: int, device: torch.device) -> Splits:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    noise = Split(pixels.to(device), torch.arange(count, device=device), labels.to(device))
    return Splits(noise, noise, noise, noise)


def _shortest(ends: Sequence[float]) -> float:
    """Whatever else the machine does makes a step longer, never shorter."""
    return min(after - before for before, after in pairwise(ends))
