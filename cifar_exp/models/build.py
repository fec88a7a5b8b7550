"""From the settings of a model to its network."""

from torch import nn

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.instantiate import instantiate
from cifar_exp.config.schema import Model
from cifar_exp.models.convnet import ConvNet


def build_network(section: Model, num_classes: int) -> nn.Module:
    """The network of `section`: images (N, 3, H, W) -> logits (N, num_classes).

    A `_target_` is called with its own settings, and with `num_classes` if it takes that.
    Raises ValueError where it refuses.
    """
    if isinstance(section, TargetSection):
        network: nn.Module = instantiate(section, num_classes=num_classes)
        return network
    settings = section.model_dump(exclude={"name"})
    return ConvNet(num_classes, **settings)
