"""The best few after a few epochs: the baseline of multi-fidelity methods.

One epoch of each configuration, then the best few to the end, is hard to beat where the order of
configurations after an epoch is much like that at the end.
"""

from dataclasses import dataclass

from cifar_exp.runs.pruning.base import Standing


@dataclass(frozen=True)
class TopK:
    """Every configuration gets `grace` epochs, then the best `top` of them go on to the end."""

    grace: int
    top: int
    name: str = "top_k"

    def applies(self, epoch: int, epochs: int) -> bool:
        """After `grace` epochs."""
        return self.grace == epoch < epochs

    def goes_on(self, standing: Standing) -> bool:  # noqa: ARG002
        """Never at once: the run does not know which others are still to come."""
        return False

    def promotes(self, standing: Standing, more: int | None) -> bool:
        """As soon as it stays among the best `top`, whatever those that are to come reach."""
        return more is not None and standing.rank + more < self.top

    def describe(self, epochs: int) -> str:
        """`after epoch 1 of 8 the best 3 configurations go on`."""
        which = "best configuration goes" if self.top == 1 else f"best {self.top} configurations go"
        return f"after epoch {self.grace} of {epochs} the {which} on"
