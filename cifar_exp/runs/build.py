"""Build the components of a run from its settings: device, network, optimizer, trainer."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cifar_exp.config.schema import Settings
from cifar_exp.data.batches import TrainingBatches
from cifar_exp.data.dataset import Dataset
from cifar_exp.data.device_splits import Splits, split_dataset
from cifar_exp.data.normalization import Normalization
from cifar_exp.errors import UserError
from cifar_exp.models.build import build_network
from cifar_exp.models.convnet import ConvNet
from cifar_exp.models.count import macs_by_size
from cifar_exp.runs.network_check import check_network, check_smallest_batch
from cifar_exp.runs.spec import Slot
from cifar_exp.runs.warm_start import load_initial_weights
from cifar_exp.seeding import derive_seed
from cifar_exp.storage.record import Segment
from cifar_exp.training.devices import (
    available_devices,
    reset_peak_memory,
    resolve_device,
    resolve_precision,
    use_threads,
)
from cifar_exp.training.optimizers import build_optimizer
from cifar_exp.training.resolution import ResolutionSchedule
from cifar_exp.training.schedules import build_schedule
from cifar_exp.training.trainer import Trainer


@dataclass(frozen=True)
class Components:
    """Everything a run consists of, before training; `macs` of one image by its size."""

    dataset: Dataset
    splits: Splits
    normalization: Normalization
    network: nn.Module
    trainer: Trainer
    compute: "Compute"
    macs: Mapping[int, int]


@dataclass(frozen=True)
class Compute:
    """The device, precision and number of CPU threads of a run."""

    device: torch.device
    precision: str
    threads: int


def prepare_compute(
    settings: Settings, before: Segment | None = None, slot: Slot | None = None
) -> Compute:
    """Choose the device, set the threads. Raises UserError if the device does not exist.

    In a resumed run, `auto` is what it was in `before`, its last segment, so that it continues bit
    for bit; in a new run it is what `slot` says.
    """
    trainer, slot = settings.trainer, slot or Slot()
    threads = trainer.threads
    if threads == "auto":
        threads = before.threads if before is not None else slot.threads or "auto"
    name = _device_name(trainer.device, before, slot)
    try:
        device = resolve_device(name)
    except ValueError as error:
        raise UserError(f"trainer.device={trainer.device}: {error}") from error
    reset_peak_memory(device)
    return Compute(device, resolve_precision(trainer.precision, device), use_threads(threads))


def _device_name(setting: str, before: Segment | None, slot: Slot) -> str:
    wanted = before.device if before is not None and setting == "auto" else setting
    if wanted not in available_devices():
        wanted = setting
    given = slot.device or ""
    return given if given and wanted in ("auto", given.partition(":")[0]) else wanted


def build_components(
    settings: Settings, dataset: Dataset, compute: Compute, runs: Path
) -> Components:
    """Build everything without writing anything; `init_from` is looked up in `runs`.

    Raises UserError if the images, a `_target_` or the run to start from do not fit.
    """
    splits = split_dataset(dataset, settings.data, compute.device)
    classes, sizes = len(dataset.class_names), _sizes(settings)
    network = make_network(settings, classes)
    check_smallest_batch(network, sizes, settings.trainer.batch_size, len(splits.train))
    try:
        macs = macs_by_size(settings.model, network, classes, sizes)
    except ValueError as error:
        raise UserError(f"model: {error}") from error
    normalization = Normalization.fit(splits.train.sample())
    trainer = make_trainer(settings, network, splits, normalization, compute)
    if settings.init_from is not None:
        load_initial_weights(runs, settings.init_from, network)
    return Components(dataset, splits, normalization, network, trainer, compute, macs)


def _sizes(settings: Settings) -> list[int]:
    """The sides of the images that the network gets, the full one last."""
    schedule = ResolutionSchedule.of(settings.trainer, settings.data.image_size)
    return [*(size for size in schedule.sizes if size != schedule.full), schedule.full]


def make_network(settings: Settings, num_classes: int) -> nn.Module:
    """The network with the weights that `seed` draws, on the host.

    Raises UserError if a `_target_` fails, cannot process the images, or returns another shape than
    (N, num_classes).
    """
    seed = derive_seed(settings.seed, "initialisation")
    torch.manual_seed(seed)
    # a user's own network may draw from these; earlier runs in this process must not matter
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        network = build_network(settings.model, num_classes)
    except ValueError as error:
        raise UserError(f"model: {error}") from error
    if not isinstance(network, nn.Module):
        raise UserError(f"model: {type(network).__name__} is not a torch.nn.Module")
    check_network(network, _sizes(settings), num_classes)
    return network


def make_trainer(
    settings: Settings,
    network: nn.Module,
    splits: Splits,
    normalization: Normalization,
    compute: Compute,
) -> Trainer:
    """Everything that trains, before the first step."""
    train_batches = TrainingBatches(
        splits.train,
        normalization=normalization,
        section=settings.augmentation,
        batch_size=settings.trainer.batch_size,
        seed=settings.seed,
    )
    if isinstance(network, ConvNet):
        network.fit_stem(normalization.apply(splits.train.sample()).cpu())
    network.to(compute.device).to(memory_format=torch.channels_last)
    try:
        optimizer = build_optimizer(settings.optimizer, network)
    except ValueError as error:
        raise UserError(f"optimizer: {error}") from error
    total_steps = settings.trainer.epochs * train_batches.steps_per_epoch
    try:
        schedule = build_schedule(settings.scheduler, optimizer, total_steps)
    except ValueError as error:
        raise UserError(f"scheduler: {error}") from error
    return Trainer(
        network,
        train_batches,
        splits,
        normalization,
        optimizer,
        schedule,
        settings.trainer,
        device=compute.device,
        precision=compute.precision,
        resolution=ResolutionSchedule.of(settings.trainer, settings.data.image_size),
    )
