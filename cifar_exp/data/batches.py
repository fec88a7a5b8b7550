"""The batches of a run from images on its device: order, augmentation, resolution."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cifar_exp.config.schema import AugmentationSection
from cifar_exp.data import augmentation
from cifar_exp.data.augmentation import Mix
from cifar_exp.data.device_splits import Split
from cifar_exp.data.normalization import Normalization, to_float
from cifar_exp.seeding import derive_seed


@dataclass(frozen=True)
class Batch:
    """Normalized images (B, 3, H, W), class indices (B,), and how labels are mixed, if at all."""

    images: Tensor
    labels: Tensor
    mix: Mix | None


class TrainingBatches:
    """Batches of one run's training images; `seed` fixes their order and all random draws.

    Every image is seen once an epoch. The sizes of an epoch's batches differ by one image at most.
    """

    def __init__(
        self,
        split: Split,
        *,
        normalization: Normalization,
        section: AugmentationSection,
        batch_size: int,
        seed: int,
    ) -> None:
        self.split, self.device = split, split.labels.device
        self.normalization, self.section = normalization, section
        self.seed = seed
        self.steps_per_epoch = -(-len(split) // batch_size)
        self.generator = torch.Generator(self.device)
        first = torch.Generator().manual_seed(derive_seed(seed, "mirrored"))
        self._mirrored = (torch.rand(len(split), generator=first) < 0.5).to(self.device)

    def __len__(self) -> int:
        return len(self.split)

    def batches(
        self, epoch: int, first_step: int = 0, sizes: Sequence[int] | None = None
    ) -> Iterator[Batch]:
        """The batches of `epoch` (from 1), starting at `first_step` (from 0).

        `sizes` is the side in pixels to which each of the epoch's batches is resized. To start in
        the middle of an epoch, first restore the state that was saved there.
        """
        order = torch.Generator().manual_seed(derive_seed(self.seed, "order", epoch))
        permutation = torch.randperm(len(self), generator=order).to(self.device)
        if first_step == 0:
            self.generator.manual_seed(derive_seed(self.seed, "augmentation", epoch))
        parts = permutation.tensor_split(self.steps_per_epoch)
        for step in range(first_step, self.steps_per_epoch):
            yield self._batch(parts[step], epoch, sizes[step] if sizes else None)

    def _batch(self, indices: Tensor, epoch: int, size: int | None) -> Batch:
        section, generator = self.section, self.generator
        flipped = self._flips(indices, epoch)
        pixels = augmentation.crop_and_flip(
            self.split.images, self.split.rows[indices], section.crop_padding, flipped, generator
        )
        images = to_float(pixels, self.normalization.dtype)
        if section.jitter > 0:
            images = augmentation.jitter_color(images, section.jitter, generator)
        if section.cutout > 0:
            fill = self.normalization.mean_pixel(images.device)
            images = augmentation.cut_out(images, section.cutout, fill, generator)
        images = resize(self.normalization.apply_float(images), size)
        labels = self.split.labels[indices]
        images, mix = augmentation.mix(section, images, labels, generator)
        return Batch(images, labels, mix)

    def _flips(self, indices: Tensor, epoch: int) -> Tensor | None:
        if self.section.flip == "none":
            return None
        if self.section.flip == "alternate":  # Jordan 2024, arXiv:2404.00498
            return self._mirrored[indices] ^ (epoch % 2 == 0)
        coins = torch.rand(len(indices), generator=self.generator, device=indices.device)
        return coins < 0.5

    def state_dict(self) -> dict[str, Any]:
        """What `batches` needs, besides epoch and step, to continue in the middle of an epoch."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state that `state_dict` returned."""
        self.generator.set_state(state["generator"].cpu())


def resize(images: Tensor, size: int | None) -> Tensor:
    """Floats (B, 3, H, W) -> (B, 3, size, size), antialiased; the same tensor if equal."""
    if size is None or images.shape[-1] == size:
        return images
    return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
