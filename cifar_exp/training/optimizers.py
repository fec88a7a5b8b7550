"""Optimizers and their parameter groups."""

from collections.abc import Callable
from typing import Any

import torch
from pydantic import BaseModel
from torch import nn

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.instantiate import instantiate
from cifar_exp.config.schema import AdamSection, MuonSection, Optimizer, SGDSection
from cifar_exp.training.muon import Muon

Group = dict[str, Any]


def build_optimizer(section: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of `section` over all trained parameters.

    Weights (two dimensions or more) decay; norms and biases do not, and biases may learn faster.
    Each parameter group carries a `name`. Raises ValueError if a `_target_` fails
    or builds something else.
    """
    return BUILDERS[type(section)](section, network)


def _sgd(section: SGDSection, network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        _groups(section, *_by_role(network), lr=section.lr),
        lr=section.lr,
        momentum=section.momentum,
        nesterov=section.momentum > 0,
        fused=True,
    )


def _adam(section: AdamSection, network: nn.Module) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if section.name == "adamw" else torch.optim.Adam
    groups = _groups(section, *_by_role(network), lr=section.lr)
    betas = (section.beta1, section.beta2)
    return kind(groups, lr=section.lr, betas=betas, weight_decay=0, fused=True)


def _muon(section: MuonSection, network: nn.Module) -> torch.optim.Optimizer:
    weights, gains, biases = _by_role(network)
    hidden = {
        "name": "hidden weights",
        "params": weights[:-1],
        "lr": section.lr,
        "weight_decay": section.weight_decay,
        "orthogonal": True,
    }
    # The output layer's rows are classes, not features of a hidden layer: SGD's rule.
    others = _groups(section, weights[-1:], gains, biases, lr=section.sgd_lr)
    return Muon([hidden, *others], section.lr, section.momentum, section.iterations)


def _target(section: TargetSection, network: nn.Module) -> torch.optim.Optimizer:
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = instantiate(section, trained)
    if not isinstance(optimizer, torch.optim.Optimizer):
        name = type(optimizer).__name__
        raise ValueError(f"_target_={section.target}: {name} is not a torch.optim.Optimizer")
    return optimizer


BUILDERS: dict[type[BaseModel], Callable[[Any, nn.Module], torch.optim.Optimizer]] = {
    SGDSection: _sgd,
    AdamSection: _adam,
    MuonSection: _muon,
    TargetSection: _target,
}
"""How each section of the group `optimizer` is built."""


def _groups(
    section: SGDSection | AdamSection | MuonSection,
    weights: list[nn.Parameter],
    gains: list[nn.Parameter],
    biases: list[nn.Parameter],
    *,
    lr: float,
) -> list[Group]:
    """Groups by role; each carries its `name` into the record."""
    bias_lr = lr * section.bias_lr_scale
    return [
        {"name": "weights", "params": weights, "lr": lr, "weight_decay": section.weight_decay},
        {"name": "norms", "params": gains, "lr": lr, "weight_decay": 0.0},
        {"name": "biases", "params": biases, "lr": bias_lr, "weight_decay": 0.0},
    ]


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
