"""The parts of a dataset that a run uses, on its device."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cifar_exp.config.schema import DataSection
from cifar_exp.data.dataset import Dataset, ImageSet
from cifar_exp.data.splits import TRAIN_EVAL, split_error, stratified_part, train_and_val
from cifar_exp.errors import UserError

SAMPLE = 5_000  # images to fit the normalization and a whitened stem on


@dataclass(frozen=True)
class Split:
    """Some rows of `images`, uint8 (N, S, S, 3), with their labels (len(rows),), on one device.

    On a CPU `images` is the memory map of the cache, whose pages all processes share.
    """

    images: Tensor
    rows: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, part: slice) -> Tensor:
        """The images of these rows, (len, S, S, 3)."""
        return self.images[self.rows[part]]

    def sample(self) -> Tensor:
        """At most 5,000 of the images, evenly spaced."""
        return self.take(slice(None, None, -(-len(self) // SAMPLE)))


@dataclass(frozen=True)
class Splits:
    """Training, validation and test images; `train_eval` is a fixed part of the training images."""

    train: Split
    train_eval: Split
    val: Split
    test: Split


def split_dataset(dataset: Dataset, section: DataSection, device: torch.device) -> Splits:
    """Split as the section says. Raises UserError if there are too few images to split."""
    labels, seed = dataset.train.labels, section.split_seed
    error = split_error(section, len(labels))
    if error is not None:
        raise UserError(error)
    train, val = train_and_val(labels, section.limit_train, section.val_fraction, seed)
    followed = train
    if len(train) > TRAIN_EVAL:
        followed = train[stratified_part(labels[train], TRAIN_EVAL, seed)]
    test = np.arange(len(dataset.test))
    if section.limit_test is not None and section.limit_test < len(test):
        test = stratified_part(dataset.test.labels, section.limit_test, seed)
    return Splits(
        train=_resident(dataset.train, train, device),
        train_eval=_resident(dataset.train, followed, device),
        val=_resident(dataset.train, val, device),
        test=_resident(dataset.test, test, device),
    )


def _resident(images: ImageSet, rows: NDArray[np.int64], device: torch.device) -> Split:
    labels = torch.from_numpy(images.labels[rows]).to(device)
    if device.type == "cpu":
        return Split(torch.from_numpy(images.images), torch.from_numpy(rows), labels)
    own = torch.from_numpy(np.ascontiguousarray(images.images[rows])).to(device)
    return Split(own, torch.arange(len(rows), device=device), labels)
