"""How large a network is, and what one image costs."""

import copy
from collections.abc import Iterable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cifar_exp.config.schema import ConvNetSection, Model
from cifar_exp.errors import STOPS, describe
from cifar_exp.models.macs import convnet_macs


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

    Counted on torch's meta device, where nothing is computed; a network that cannot be copied, or
    needs values to compute with, is run on the device where it is. Raises ValueError where that
    fails too.
    """
    try:
        return _counted(copy.deepcopy(network).to("meta"), image_size, torch.device("meta"))
    except STOPS:
        raise
    except BaseException:  # a network of the user's own may raise anything
        pass
    was_training = network.training
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    try:
        return _counted(network, image_size, device)
    except STOPS:
        raise
    except BaseException as error:
        raise ValueError(
            f"its multiply-accumulates cannot be counted: {describe(error)}"
        ) from error
    finally:
        network.train(was_training)


def _counted(network: nn.Module, image_size: int, device: torch.device) -> int:
    network.eval()  # batch norm refuses to train on one value a channel
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, image_size, image_size, device=device))
    return int(counter.get_total_flops()) // 2
