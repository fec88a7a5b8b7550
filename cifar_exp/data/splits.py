"""Stratified splits of labels, the same on every machine."""

import numpy as np
from numpy.typing import NDArray

from cifar_exp.config.schema import DataSection
from cifar_exp.text import counted

Indices = NDArray[np.int64]

TRAIN_EVAL = 2_000  # training images that are evaluated without augmentation


def stratified_part(labels: NDArray[np.int64], size: int, seed: int) -> Indices:
    """Sorted indices of `size` images, with the classes in proportion, up to rounding."""
    # RandomState's stream is frozen by numpy's compatibility policy; Generator's is not.
    generator = np.random.RandomState(seed)
    quotas = _quotas(np.bincount(labels), size, generator)
    parts = [
        generator.permutation(np.flatnonzero(labels == index))[:quota]
        for index, quota in enumerate(quotas)
    ]
    return np.sort(np.concatenate(parts))


def split_error(section: DataSection, images: int) -> str | None:
    """A sentence if there are too few of `images` training images to split as the section says."""
    taken = min(images, section.limit_train or images)
    val = round(section.val_fraction * taken)
    train = taken - val
    if train == 0 or (section.val_fraction > 0 and val == 0):
        shown = counted(taken, "training image")
        return (
            f"data.val_fraction={section.val_fraction}: splits {shown} into "
            f"{train} to train on and {val} to validate on; use more images (data.limit_train), "
            "or another fraction"
        )
    if train == 1:
        return (
            "data: only 1 image is left to train on, and training needs at least 2; use more "
            "images (data.limit_train) or a smaller data.val_fraction"
        )
    return None


def train_and_val(
    labels: NDArray[np.int64], limit: int | None, val_fraction: float, seed: int
) -> tuple[Indices, Indices]:
    """Sorted indices of training and validation images: of `limit` images, or of all."""
    taken = np.arange(len(labels))
    if limit is not None and limit < len(labels):
        taken = stratified_part(labels, limit, seed)
    held_out = stratified_part(labels[taken], round(val_fraction * len(taken)), (seed + 1) % 2**32)
    is_val = np.zeros(len(taken), dtype=bool)
    is_val[held_out] = True
    return taken[~is_val], taken[is_val]


def _quotas(
    counts: NDArray[np.int64], size: int, generator: np.random.RandomState
) -> NDArray[np.int64]:
    # Largest remainders: the quotas add up to `size` exactly. Ties are broken at random: in
    # alphabetical order a small part would lack whole superclasses at the end of the alphabet.
    shares = counts * (size / counts.sum())
    quotas: NDArray[np.int64] = np.floor(shares).astype(np.int64)
    missing = size - int(quotas.sum())
    lots = generator.permutation(len(counts))
    largest = np.lexsort((lots, quotas - shares))[:missing]
    quotas[largest] += 1
    return quotas
