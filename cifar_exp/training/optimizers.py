"""Optimizers and their parameter groups."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.instantiate import instantiate
from cifar_exp.config.schema import AdamSection, MuonSection, Optimizer, SGDSection
from cifar_exp.training.muon import Muon

Group = dict[str, Any]


def build_optimizer(section: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of `section` over all trained parameters.

    Weights (two dimensions or more) decay; norms and biases do not, and biases may learn faster.
    Raises ValueError where a `_target_` refuses or is something else.
    """
    if isinstance(section, TargetSection):
        trained = [p for p in network.parameters() if p.requires_grad]
        optimizer = instantiate(section, trained)
        if not isinstance(optimizer, torch.optim.Optimizer):
            name = type(optimizer).__name__
            raise ValueError(f"_target_={section.target}: {name} is not a torch.optim.Optimizer")
        return optimizer
    groups = list(_groups(section, network))
    if isinstance(section, SGDSection):
        return torch.optim.SGD(
            groups,
            lr=section.lr,
            momentum=section.momentum,
            nesterov=section.momentum > 0,
            fused=True,
        )
    if isinstance(section, AdamSection):
        kind = torch.optim.AdamW if section.name == "adamw" else torch.optim.Adam
        return kind(
            groups, lr=section.lr, betas=(section.beta1, section.beta2), weight_decay=0, fused=True
        )
    return Muon(groups, section.lr, section.momentum, section.iterations)


def _groups(section: SGDSection | AdamSection | MuonSection, network: nn.Module) -> Iterator[Group]:
    """Groups by role; each carries its `name` into the record."""
    weights, gains, biases = _by_role(network)
    lr = section.lr
    if isinstance(section, MuonSection):
        # The output layer's rows are classes, not features of a hidden layer: SGD's rule.
        lr = section.sgd_lr
        hidden, output = weights[:-1], weights[-1:]
        yield {
            "name": "hidden weights",
            "params": hidden,
            "lr": section.lr,
            "weight_decay": section.weight_decay,
            "orthogonal": True,
        }
        weights = output
    yield {"name": "weights", "params": weights, "lr": lr, "weight_decay": section.weight_decay}
    yield {"name": "norms", "params": gains, "lr": lr, "weight_decay": 0.0}
    yield {
        "name": "biases",
        "params": biases,
        "lr": lr * section.bias_lr_scale,
        "weight_decay": 0.0,
    }


def _by_role(network: nn.Module) -> tuple[list[nn.Parameter], ...]:
    weights, gains, biases = [], [], []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim >= 2:
            weights.append(parameter)
        elif name.rpartition(".")[2] == "bias":
            biases.append(parameter)
        else:
            gains.append(parameter)
    return weights, gains, biases
