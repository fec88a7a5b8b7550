"""Progressive resolution: early steps see smaller images.

Source: Touvron et al. 2019, arXiv:1906.06423, and the 20 -> 24 -> 32 pixels of CIFAR speed runs.
"""

from dataclasses import dataclass

from cifar_exp.config.schema import TrainerSection

MULTIPLE = 4  # sizes that can be halved twice


@dataclass(frozen=True)
class ResolutionSchedule:
    """Image side over the run: `sizes[i]` until the fraction `until[i]` of it, then `full`."""

    sizes: tuple[int, ...]
    until: tuple[float, ...]
    full: int

    @classmethod
    def of(cls, section: TrainerSection, image_size: int) -> "ResolutionSchedule":
        """From sizes relative to `image_size`, rounded to multiples of 4."""
        sizes = tuple(_rounded(scale * image_size) for scale in section.resolution_scales)
        return cls(sizes, section.resolution_until, image_size)

    def size(self, part: float) -> int:
        """Side in pixels at a fraction of the run in [0, 1)."""
        for size, until in zip(self.sizes, self.until, strict=True):
            if part < until:
                return size
        return self.full


def _rounded(size: float) -> int:
    return max(8, MULTIPLE * round(size / MULTIPLE))
