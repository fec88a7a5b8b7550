"""How large a network is, and what one image costs."""

import copy
from collections.abc import Iterable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cifar_exp.config.schema import ConvNetSection, Model
from cifar_exp.models.costs import convnet_macs


def count_parameters(network: nn.Module) -> int:
    """All weights, trained or fixed; no buffers."""
    return sum(parameter.numel() for parameter in network.parameters())


def macs_by_size(
    section: Model, network: nn.Module, classes: int, sizes: Iterable[int]
) -> dict[int, int]:
    """`count_macs` by image size; of our own network by its settings, which takes no time."""
    if isinstance(section, ConvNetSection):
        return {size: convnet_macs(section, classes, size) for size in sizes}
    return {size: count_macs(network, size) for size in sizes}


def count_macs(network: nn.Module, image_size: int) -> int:
    """Multiply-accumulates of convolutions and matrix products for one image, forward.

    Counted on torch's meta device: nothing is computed, and any network can be counted.
    """
    # eval: batch norm refuses to train on one value a channel
    shadow = copy.deepcopy(network).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shadow(torch.empty(1, 3, image_size, image_size, device="meta"))
    return int(counter.get_total_flops()) // 2
