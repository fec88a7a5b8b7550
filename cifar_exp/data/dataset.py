"""The images of a dataset, in the form that every source returns them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
ProgressCallback = Callable[[str, int, int], None]
"""Called during slow work with a description, the items done, and the items in total."""


@dataclass(frozen=True)
class ImageSet:
    """uint8 RGB images (N, S, S, 3), often a memory map, with their class indices (N,)."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "ImageSet":
        """The images at `indices`, copied into memory."""
        return ImageSet(np.ascontiguousarray(self.images[indices]), self.labels[indices])


@dataclass(frozen=True)
class DatasetCounts:
    """How many classes a dataset has, and how many images to train on and to test on."""

    classes: int
    train: int
    test: int


@dataclass(frozen=True)
class Dataset:
    """Training and test images, and what their labels mean.

    `fingerprint` is a SHA-256 of the content; `superclasses` names each class's superclass.
    """

    name: str
    fingerprint: str
    class_names: tuple[str, ...]
    superclasses: tuple[str, ...] | None
    train: ImageSet
    test: ImageSet

    @property
    def counts(self) -> DatasetCounts:
        """The numbers of classes and images."""
        return DatasetCounts(len(self.class_names), len(self.train), len(self.test))
