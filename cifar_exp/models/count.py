"""The size of a network, and its cost per image."""

import copy
from collections.abc import Iterable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cifar_exp.config.schema import Model
from cifar_exp.errors import STOPS, describe
from cifar_exp.models.macs import known_macs


def count_parameters(network: nn.Module) -> int:
    """The number of parameters, trained or fixed, without buffers."""
    return sum(parameter.numel() for parameter in network.parameters())


def macs_by_size(
    section: Model, network: nn.Module, classes: int, sizes: Iterable[int]
) -> dict[int, int]:
    """MACs of one forward pass by image size, from only the settings if they suffice."""
    return {size: known_macs(section, classes, size) or count_macs(network, size) for size in sizes}


def count_macs(network: nn.Module, image_size: int) -> int:
    """Multiply-accumulates of convolutions and matrix products in one forward pass of one image.

    They are counted on torch's meta device, where nothing is computed; a network that cannot be
    copied, or needs values to compute with, is run on its own device. Raises ValueError if that
    fails too.
    """
    try:
        return _counted(copy.deepcopy(network).to("meta"), image_size, torch.device("meta"))
    except STOPS:
        raise
    except BaseException:  # a user's network may raise anything
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
