"""The median stopping rule (Golovin et al. 2017, Google Vizier, section 3.2.2), by epoch."""

from dataclasses import dataclass
from statistics import median

from cifar_exp.runs.pruning.base import Standing

MIN_OTHERS = 5  # siblings at the epoch before a run is paused, as in Optuna's MedianPruner


@dataclass(frozen=True)
class Median:
    """A run is paused if it is worse than the median of its siblings at the same epoch.

    Every run gets `grace` epochs. A paused run is not promoted.
    """

    grace: int
    name: str = "median"

    def applies(self, epoch: int, epochs: int) -> bool:
        """From `grace` epochs on."""
        return self.grace <= epoch < epochs

    def goes_on(self, standing: Standing) -> bool:
        """If it is no worse than the median, or too few siblings have reached the epoch."""
        others = standing.others
        return len(others) < MIN_OTHERS or standing.own >= median(others)

    def promotes(self, standing: Standing, more: int | None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def describe(self, epochs: int) -> str:
        """`from epoch 1 of 8 on, runs below the median of the others are paused`."""
        return f"from epoch {self.grace} of {epochs} on, runs below the others' median are paused"
