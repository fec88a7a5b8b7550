"""Augmentation of whole batches on their device, with separate random draws for each image.

Crop and flip are an index into the uint8 images, so that a batch is read once; color and cutout
work on floats in [0, 1]. All draws come from the generator that the caller passes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from cifar_exp.config.schema import AugmentationSection


@dataclass(frozen=True)
class Mix:
    """How labels are blended: `weight` (B,) of an image's own label, the rest of `other` (B,)."""

    other: Tensor
    weight: Tensor


def crop_and_flip(
    images: Tensor,
    indices: Tensor,
    padding: int,
    flipped: Tensor | None,
    generator: torch.Generator,
) -> Tensor:
    """Read images[indices] (B, S, S, 3) of uint8 (N, S, S, 3), shifted and mirrored.

    Each image is shifted by up to `padding` pixels vertically and horizontally, with all offsets
    equally likely; the border is filled by reflection. `flipped` (B,) says which images to mirror
    left to right.
    """
    if padding == 0 and flipped is None:
        return images[indices]
    size = images.shape[1]
    rows = _shifted(size, padding, len(indices), generator)
    columns = _shifted(size, padding, len(indices), generator)
    if flipped is not None:
        columns = torch.where(flipped[:, None], columns.flip(1), columns)
    return images[indices[:, None, None], rows[:, :, None], columns[:, None, :]]


def jitter_color(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Vary brightness, contrast and saturation of floats (B, 3, H, W) by up to +-`strength`."""
    brightness, contrast, saturation = (
        1 + strength * (2 * _uniform(images, generator) - 1) for _ in range(3)
    )
    images = images * brightness
    images = torch.lerp(images.mean((1, 2, 3), keepdim=True), images, contrast)
    images = torch.lerp(images.mean(1, keepdim=True), images, saturation)
    return images.clamp(0, 1)


def cut_out(images: Tensor, side: int, fill: Tensor, generator: torch.Generator) -> Tensor:
    """Set a square of (B, 3, H, W) to `fill` (1, 3, 1, 1), its center anywhere in the image.

    Source: DeVries and Taylor 2017, arXiv:1708.04552; squares may hang over the border.
    """
    return torch.where(_square(images, side, side, generator), fill, images)


def mix_up(
    images: Tensor, labels: Tensor, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Mix]:
    """Blend each image (B, 3, H, W) with another of the batch.

    Source: Zhang et al. 2017, arXiv:1710.09412.
    """
    weight = _beta(alpha, images, generator)
    partner = torch.randperm(len(images), generator=generator, device=images.device)
    blended = torch.lerp(images[partner], images, weight[:, None, None, None])
    return blended, Mix(labels[partner], weight)


def cut_mix(
    images: Tensor, labels: Tensor, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Mix]:
    """Paste a part of another image of the batch onto each image (B, 3, H, W).

    The weight is the share of pixels left after the pasted part is clipped at the border.
    Source: Yun et al. 2019, arXiv:1905.04899.
    """
    share = (1 - _beta(alpha, images, generator)).sqrt()[:, None]
    height, width = images.shape[2:]
    pasted = _square(images, share * height, share * width, generator)
    partner = torch.randperm(len(images), generator=generator, device=images.device)
    weight = 1 - pasted.to(images).mean((1, 2, 3))
    return torch.where(pasted, images[partner], images), Mix(labels[partner], weight)


def mix(
    section: AugmentationSection, images: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Mix | None]:
    """Apply mixup or cutmix, whichever is on; the schema refuses both together."""
    if section.mixup > 0:
        return mix_up(images, labels, section.mixup, generator)
    if section.cutmix > 0:
        return cut_mix(images, labels, section.cutmix, generator)
    return images, None


def _shifted(size: int, padding: int, count: int, generator: torch.Generator) -> Tensor:
    """Source row (or column) of every target row: (count, size), reflected at the border."""
    device = generator.device
    line = torch.arange(size, device=device)
    if padding == 0:
        return line.expand(count, size)
    shift = torch.randint(-padding, padding + 1, (count, 1), generator=generator, device=device)
    source = (line + shift).abs()
    return torch.where(source >= size, 2 * (size - 1) - source, source)


def _square(
    images: Tensor, height: Tensor | int, width: Tensor | int, generator: torch.Generator
) -> Tensor:
    """Masks (B, 1, H, W) of a rectangle with its center anywhere, clipped at the border."""
    return (
        _stretch(images, images.shape[2], height, generator)[:, None, :, None]
        & _stretch(images, images.shape[3], width, generator)[:, None, None, :]
    )


def _stretch(images: Tensor, size: int, length: Tensor | int, generator: torch.Generator) -> Tensor:
    line = torch.arange(size, device=images.device)
    center = _uniform(images, generator).flatten(1) * size
    start = torch.round(center - length / 2)
    return (line >= start) & (line < torch.round(start + length))


def _uniform(images: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(
        len(images), 1, 1, 1, generator=generator, dtype=images.dtype, device=images.device
    )


def _beta(alpha: float, images: Tensor, generator: torch.Generator) -> Tensor:
    """Beta(alpha, alpha) draws (B,)."""
    # what torch.distributions.Beta samples by; the class itself takes no generator
    shape = torch.full((len(images), 2), alpha, dtype=images.dtype, device=images.device)
    return torch._sample_dirichlet(shape, generator=generator)[:, 0]
