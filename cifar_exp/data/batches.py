"""From resident images to the batches of a run: order, augmentation, normalization, resolution."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cifar_exp.config.schema import AugmentationSection
from cifar_exp.data import augmentation
from cifar_exp.data.augmentation import Mix
from cifar_exp.data.device_splits import Split
from cifar_exp.seeding import derive_seed


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of each channel of images in [0, 1]: three numbers each.

    `dtype` is that of the images that it makes, and so of all that a feed computes on them.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    dtype: torch.dtype = torch.float32

    @classmethod
    def of(cls, images: Tensor, dtype: torch.dtype = torch.float32) -> "Normalization":
        """Measured on uint8 images (N, H, W, 3), exactly: sums are of integers."""
        total = torch.zeros(3, dtype=torch.int64, device=images.device)
        squares = torch.zeros_like(total)
        for part in torch.split(
            images, 500
        ):  # all at once would take eight times the images' memory
            flat = part.reshape(-1, 3).to(torch.int32)
            total += flat.sum(0)
            squares += (flat * flat).sum(0)
        count = images[..., 0].numel()
        mean = total.cpu().double() / count / 255
        variance = squares.cpu().double() / count / 255**2 - mean**2
        # a channel that never varies is left as it is, not divided by zero
        std = variance.clamp(min=0).sqrt().clamp(min=1 / 255)
        return cls(tuple(mean.tolist()), tuple(std.tolist()), dtype)

    def apply(self, images: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) -> normalised float (B, 3, H, W) in channels_last memory."""
        return self.apply_float(to_float(images, self.dtype))

    def apply_float(self, images: Tensor) -> Tensor:
        """Normalise floats in [0, 1], (B, 3, H, W), in place."""
        mean, std = (
            _channels(values, self.dtype, images.device) for values in (self.mean, self.std)
        )
        return images.sub_(mean).div_(std)

    def middle(self, like: Tensor) -> Tensor:
        """The mean as a picture of one pixel (1, 3, 1, 1)."""
        return _channels(self.mean, self.dtype, like.device)


@dataclass(frozen=True)
class Batch:
    """Normalised images (B, 3, H, W), labels (B,), and how labels are mixed, if they are."""

    images: Tensor
    labels: Tensor
    mix: Mix | None


class TrainingBatches:
    """Batches of one run's training images, in the order and with the draws that `seed` fixes.

    Every image is seen once an epoch; the epoch's batches are equally large but for one image.
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
        """The batches of `epoch` (from 1) from `first_step` (from 0) on.

        `sizes` gives the side in pixels that each of the epoch's batches is resized to.

        From a step in the middle on, the generator must have been restored by the caller.
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
            fill = self.normalization.middle(images)
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
        """What `batches` needs beside epoch and step to go on in the middle."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state of `state_dict`."""
        self.generator.set_state(state["generator"].cpu())


@lru_cache(maxsize=8)  # a copy to the device in every step would make the host wait for it
def _channels(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=dtype, device=device).view(1, 3, 1, 1)


def to_float(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 (B, H, W, 3) -> floats in [0, 1], (B, 3, H, W), in channels_last memory."""
    return images.to(dtype).mul_(1 / 255).permute(0, 3, 1, 2)


def resize(images: Tensor, size: int | None) -> Tensor:
    """Floats (B, 3, H, W) -> (B, 3, size, size); antialiased, and as they are when equal."""
    if size is None or images.shape[-1] == size:
        return images
    return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
