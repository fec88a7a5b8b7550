"""Images as floats, normalized by the mean and standard deviation of each channel."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

PART = 500  # images at a time: all at once would take eight times their memory


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of each channel of images in [0, 1]: three numbers each.

    `dtype` is that of the images that it makes, and so of all that is computed on them.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    dtype: torch.dtype = torch.float32

    @classmethod
    def fit(cls, images: Tensor, dtype: torch.dtype = torch.float32) -> "Normalization":
        """Measure uint8 images (N, H, W, 3) exactly: the sums are of integers."""
        total = torch.zeros(3, dtype=torch.int64, device=images.device)
        squares = torch.zeros_like(total)
        for part in torch.split(images, PART):
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
        """uint8 (B, H, W, 3) -> normalized floats (B, 3, H, W) in channels_last memory."""
        return self.apply_float(to_float(images, self.dtype))

    def apply_float(self, images: Tensor) -> Tensor:
        """Normalize floats in [0, 1], (B, 3, H, W), in place."""
        mean, std = (
            _channels(values, self.dtype, images.device) for values in (self.mean, self.std)
        )
        return images.sub_(mean).div_(std)

    def mean_pixel(self, device: torch.device) -> Tensor:
        """The mean as an image of one pixel, (1, 3, 1, 1)."""
        return _channels(self.mean, self.dtype, device)


def to_float(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 (B, H, W, 3) -> floats in [0, 1], (B, 3, H, W), in channels_last memory."""
    return images.to(dtype).mul_(1 / 255).permute(0, 3, 1, 2)


@lru_cache(maxsize=8)  # a copy to the device in every step would make the host wait for it
def _channels(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=dtype, device=device).view(1, 3, 1, 1)
