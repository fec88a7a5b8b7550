"""Muon: momentum whose update is orthogonalized, for the weights of convolutions and hidden layers.

Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers"; torch's own takes matrices only
and no second rule for the other parameters, so that a network would need two optimizers.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# The quintic's coefficients: a steep slope at zero, singular values end in about [0.7, 1.2].
QUINTIC = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Groups with `orthogonal=True` take Muon's rule; all others Nesterov SGD.

    Muon's update has the Frobenius norm of `sqrt(rows)` and its weight decay is decoupled.
    """

    def __init__(
        self, groups: list[dict[str, Any]], lr: float, momentum: float, iterations: int
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "orthogonal": False}
        super().__init__(groups, {**defaults, "iterations": iterations})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, momentum = parameter.grad, group["momentum"]
        assert gradient is not None
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        buffer = state["momentum_buffer"].mul_(momentum).add_(gradient)
        update = gradient.add(buffer, alpha=momentum)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        if group["orthogonal"]:
            matrix = orthogonalize(update.flatten(1), group["iterations"])
            scale = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
            update = matrix.view_as(update).mul_(scale)
        parameter.add_(update, alpha=-group["lr"])


def orthogonalize(matrix: Tensor, iterations: int) -> Tensor:
    """The nearest (semi-)orthogonal matrix (R, C), roughly, by Newton-Schulz iterations."""
    a, b, c = QUINTIC
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = wide / (wide.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    result: Tensor = x.T if matrix.shape[0] > matrix.shape[1] else x
    return result
