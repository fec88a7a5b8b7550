"""Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934), algorithm 2."""

from collections.abc import Iterator
from dataclasses import dataclass

from cifar_exp.runs.pruning.base import Standing


@dataclass(frozen=True)
class Asha:
    """The best 1/`reduction` of the runs that reached a rung go on to the next.

    Rungs are at `grace` * `reduction`^k epochs, k = 0, 1, ..., as long as that is less than a run's
    epochs. A run that arrives early is paused until `reduction` runs have reached its rung, so few
    epochs are spent on runs that are the best of two or three.
    """

    grace: int
    reduction: int
    name: str = "asha"

    def rungs(self, epochs: int) -> Iterator[int]:
        """The epochs after which a run of `epochs` epochs may be paused."""
        rung = self.grace
        while rung < epochs:
            yield rung
            rung *= self.reduction

    def applies(self, epoch: int, epochs: int) -> bool:
        """At each rung."""
        return epoch in self.rungs(epochs)

    def goes_on(self, standing: Standing) -> bool:
        """If it is in the best 1/`reduction`, rounded down."""
        return standing.rank < len(standing.values) // self.reduction

    def promotes(self, standing: Standing, more: int | None) -> bool:
        """By the same rule; but when no more runs come, the best of a rung goes on in any case."""
        return self.goes_on(standing) or (more == 0 and standing.rank == 0)

    def describe(self, epochs: int) -> str:
        """`after epochs 1 and 3 of 8 the best 1/3 go on`."""
        rungs = [str(rung) for rung in self.rungs(epochs)]
        listed = " and ".join(filter(None, (", ".join(rungs[:-1]), rungs[-1])))
        return (
            f"after epoch{'s' if len(rungs) > 1 else ''} {listed} of {epochs} "
            f"the best 1/{self.reduction} go on"
        )
