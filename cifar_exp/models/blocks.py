"""The building blocks of the network."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.1, inplace=True),
    "silu": lambda: nn.SiLU(inplace=True),
    "gelu": nn.GELU,
}


class ConvUnit(nn.Module):
    """A 3x3 convolution, batch norm and activation: (N, in, H, W) -> (N, out, H', W').

    `pooling` halves H and W: "early" right after the convolution, so that norm and activation
    process a quarter of the values; "late" after the activation, as in textbooks.
    """

    def __init__(
        self, in_channels: int, out_channels: int, activation: str, pooling: str | None = None
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.activation = ACTIVATIONS[activation]()
        self.pool = nn.MaxPool2d(2, ceil_mode=True) if pooling else None
        self.pools_early = pooling == "early"

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.pool is not None and self.pools_early:
            x = self.pool(x)
        x = self.activation(self.norm(x))
        if self.pool is not None and not self.pools_early:
            x = self.pool(x)
        return x


class Stage(nn.Module):
    """`depth` units of one width and a dropout: (N, in, H, W) -> (N, out, H/2, W/2), rounded up."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        depth: int,
        activation: str,
        pooling: str,
        residual: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.entry = ConvUnit(in_channels, out_channels, activation, pooling)
        self.units = nn.ModuleList(
            ConvUnit(out_channels, out_channels, activation) for _ in range(depth - 1)
        )
        self.residual = residual
        self.dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.entry(x)
        for unit in self.units:
            x = x + unit(x) if self.residual else unit(x)
        x = self.dropout(x)
        return x  # noqa: RET504, a Module returns Any to the type checker


class GlobalPool(nn.Module):
    """Global mean, or maximum and mean: (N, C, H, W) -> (N, C) or (N, 2C)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.factor = 2 if kind == "max_mean" else 1

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3))
        if self.factor == 1:
            return mean
        return torch.cat([x.amax((2, 3)), mean], dim=1)
