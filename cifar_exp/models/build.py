"""From the settings of a model to its network."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from torch import nn

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.instantiate import instantiate
from cifar_exp.config.schema import ConvNetSection, Model
from cifar_exp.models.convnet import ConvNet


def build_network(section: Model, num_classes: int) -> nn.Module:
    """The network of `section`: images (N, 3, H, W) -> logits (N, num_classes).

    A `_target_` is called with its own settings, and with `num_classes` if it takes that.
    Raises ValueError where it cannot be built.
    """
    return BUILDERS[type(section)](section, num_classes)


def _convnet(section: ConvNetSection, num_classes: int) -> nn.Module:
    return ConvNet(num_classes, **section.model_dump(exclude={"name"}))


def _target(section: TargetSection, num_classes: int) -> nn.Module:
    network: nn.Module = instantiate(section, num_classes=num_classes)
    return network


BUILDERS: dict[type[BaseModel], Callable[[Any, int], nn.Module]] = {
    ConvNetSection: _convnet,
    TargetSection: _target,
}
"""How each section of the group `model` is built."""
