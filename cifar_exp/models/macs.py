"""What the network of our own costs, by its settings alone: no torch is needed to plan a sweep."""

from cifar_exp.config.schema import ConvNetSection

MULTIPLE = 8  # vector units like channel counts in eights; narrower than two of them is left alone
STEM_PATCH = 2
STEM_FILTERS = 8  # a channel of the image: each eigenvector of its 2x2 patches, and its negative
KERNEL = 3


def stage_widths(width: int, stages: int, growth: float) -> list[int]:
    """Channels of each stage: `width` times powers of `growth`, from 16 on in multiples of 8."""
    raw = [width * growth**i for i in range(stages)]
    return [width] + [
        round(w) if w < 2 * MULTIPLE else MULTIPLE * round(w / MULTIPLE) for w in raw[1:]
    ]


def convnet_macs(section: ConvNetSection, classes: int, image_size: int) -> int:
    """Multiply-accumulates for one image, forward: what `count_macs` finds in the network."""
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
