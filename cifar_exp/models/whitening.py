"""Whitened first convolution: fixed filters that decorrelate the patches of the training images.

Source: the patch whitening of Page (myrtle.ai, "How to train your ResNet") as in airbench
(Jordan 2024, arXiv:2404.00498).
"""

import torch
from torch import Tensor, nn

PATCH = 2
PART = 100  # images at a time, so that their patches stay in the processor's cache


class WhitenedStem(nn.Conv2d):
    """2x2 convolution (N, C, H, W) -> (N, 8C, H-1, W-1): each eigenvector and its negative.

    `fit` sets the filters once, and they are not trained. So nothing before the next convolution is
    trained, and the gradient of its input, a twentieth of a step, is never computed.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, 2 * in_channels * PATCH**2, PATCH, bias=False)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def fit(self, images: Tensor, eps: float = 5e-4) -> None:
        """Set the filters from normalized float images (N, C, H, W)."""
        filters = whitening_filters(images, eps)
        self.weight.copy_(torch.cat([filters, -filters]).to(self.weight))


def whitening_filters(images: Tensor, eps: float) -> Tensor:
    """Filters (C*4, C, 2, 2) whose outputs over the patches of `images` are uncorrelated.

    Each output has unit variance, apart from `eps`, which bounds the gain on directions that hardly
    vary.
    """
    channels = images.shape[1]
    eigenvalues, eigenvectors = torch.linalg.eigh(_patch_covariance(images))
    scaled = eigenvectors / torch.sqrt(eigenvalues + eps)
    return _signed(scaled).T.flip(0).reshape(-1, channels, PATCH, PATCH)


def _patch_covariance(images: Tensor) -> Tensor:
    """Second moments (4C, 4C) of all 2x2 patches, summed over parts in double precision."""
    features = images.shape[1] * PATCH**2
    total, count = torch.zeros(features, features, dtype=torch.float64), 0
    for part in torch.split(images, PART):
        flat = _patches(part).reshape(features, -1)
        total += (flat @ flat.T).double()
        count += flat.shape[1]
    return total / count


def _patches(images: Tensor) -> Tensor:
    """All 2x2 patches of (N, C, H, W) as (C, 4, N, H-1, W-1): four shifted copies."""
    height, width = images.shape[2] - PATCH + 1, images.shape[3] - PATCH + 1
    by_channel = images.transpose(0, 1)
    shifted = [
        by_channel[:, :, row : row + height, column : column + width]
        for row in range(PATCH)
        for column in range(PATCH)
    ]
    return torch.stack(shifted, dim=1)


def _signed(vectors: Tensor) -> Tensor:
    # The sign of an eigenvector depends on the LAPACK: make its largest entry positive.
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    return vectors * torch.sign(largest)
