"""The images of a run, as every source gives them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
ProgressCallback = Callable[[str, int, int], None]
"""Hears of slow work: what is done, how many of it, of how many."""


@dataclass(frozen=True)
class ImageSet:
    """uint8 RGB images (N, S, S, 3), often a memory map, with their class indices (N,)."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "ImageSet":
        """A part of the images, copied into memory."""
        return ImageSet(np.ascontiguousarray(self.images[indices]), self.labels[indices])


@dataclass(frozen=True)
class Dataset:
    """Train and test images with what their labels mean.

    `fingerprint` is a SHA-256 of the content; `superclasses` names each class's superclass.
    """

    name: str
    fingerprint: str
    class_names: tuple[str, ...]
    superclasses: tuple[str, ...] | None
    train: ImageSet
    test: ImageSet
