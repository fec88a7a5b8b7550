"""Compute the cost of a network from its settings, without torch, to plan a sweep."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from cifar_exp.config.schema import ConvNetSection, Model

MULTIPLE = 8  # vector units work on 8 channels at a time; widths below 16 are not rounded to it
STEM_PATCH = 2
STEM_FILTERS = 8  # per image channel: the eigenvectors of the 2x2 patches and their negatives
KERNEL = 3


def stage_widths(width: int, stages: int, growth: float) -> list[int]:
    """Channels of each stage: `width` times powers of `growth`, as multiples of 8 from 16 on."""
    raw = [width * growth**i for i in range(stages)]
    return [width] + [
        round(w) if w < 2 * MULTIPLE else MULTIPLE * round(w / MULTIPLE) for w in raw[1:]
    ]


def known_macs(section: Model, classes: int, image_size: int) -> int | None:
    """`count_macs` of the section's network without building it; None for other networks."""
    count = MACS.get(type(section))
    return None if count is None else count(section, classes, image_size)


def convnet_macs(section: ConvNetSection, classes: int, image_size: int) -> int:
    """Multiply-accumulates of one forward pass of one image: equal to `count_macs`."""
    macs, channels, side = 0, 3, image_size
    if section.stem == "whitened":
        side -= STEM_PATCH - 1
        macs += side**2 * channels * STEM_FILTERS * channels * STEM_PATCH**2
        channels *= STEM_FILTERS
    for width in stage_widths(section.width, section.stages, section.growth):
        macs += side**2 * KERNEL**2 * channels * width
        side = -(-side // 2)
        macs += (section.depth - 1) * side**2 * KERNEL**2 * width**2
        channels = width
    features = channels * (2 if section.head_pooling == "max_mean" else 1)
    if section.head_width > 0:
        macs, features = macs + features * section.head_width, section.head_width
    return macs + features * classes


MACS: dict[type[BaseModel], Callable[[Any, int, int], int]] = {ConvNetSection: convnet_macs}
"""The networks whose cost follows from their settings."""
