"""The built-in configurable network."""

import torch
from torch import Tensor, nn

from cifar_exp.models.blocks import ACTIVATIONS, GlobalPool, Stage
from cifar_exp.models.macs import stage_widths
from cifar_exp.models.whitening import WhitenedStem


class ConvNet(nn.Module):
    """Stem, stages of convolution units, global pooling, dense head.

    Float images (N, 3, H, W) with H, W >= 8 -> logits (N, num_classes).
    """

    def __init__(
        self,
        num_classes: int,
        *,
        width: int,
        depth: int,
        stages: int,
        growth: float,
        dropout: float,
        activation: str,
        stem: str,
        pooling: str,
        residual: bool,
        head_pooling: str,
        head_width: int,
        initialisation: str,
    ) -> None:
        super().__init__()
        self.stem, channels = _stem(stem, activation)
        widths = stage_widths(width, stages, growth)
        blocks = []
        for out_channels in widths:
            blocks.append(
                Stage(
                    channels,
                    out_channels,
                    depth=depth,
                    activation=activation,
                    pooling=pooling,
                    residual=residual,
                    dropout=dropout,
                )
            )
            channels = out_channels
        self.stages = nn.Sequential(*blocks)
        self.pool = GlobalPool(head_pooling)
        self.head = _head(channels * self.pool.factor, num_classes, head_width, activation, dropout)
        if initialisation == "dirac":
            _dirac_(self)

    def forward(self, images: Tensor) -> Tensor:
        features = self.pool(self.stages(self.stem(images)))
        logits: Tensor = self.head(features)
        return logits

    def fit_stem(self, images: Tensor) -> None:
        """Fit a whitened stem to normalized training images (N, 3, H, W); else do nothing."""
        for module in self.stem.modules():
            if isinstance(module, WhitenedStem):
                module.fit(images)


def _stem(kind: str, activation: str) -> tuple[nn.Module, int]:
    if kind == "none":
        return nn.Identity(), 3
    whitened = WhitenedStem(3)
    return nn.Sequential(whitened, ACTIVATIONS[activation]()), whitened.out_channels


def _head(features: int, classes: int, width: int, activation: str, dropout: float) -> nn.Module:
    if width == 0:
        layers: list[nn.Module] = [nn.BatchNorm1d(features)]
    else:
        layers = [nn.Linear(features, width, bias=False), nn.BatchNorm1d(width)]
        layers += [ACTIVATIONS[activation]()]
        features = width
    if dropout > 0:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(features, classes))


@torch.no_grad()
def _dirac_(network: nn.Module) -> None:
    # Partial identity: at the start the first channels pass through unchanged (arXiv:2404.00498).
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and not isinstance(module, WhitenedStem):
            inputs = min(module.in_channels, module.out_channels)
            nn.init.dirac_(module.weight[:inputs])
