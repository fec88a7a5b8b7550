"""The interface of a pruning rule, and what it answers from: a run's place among its siblings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cifar_exp.config.schema import TrainerSection
from cifar_exp.storage.record import PrunedInfo


@dataclass(frozen=True)
class Standing:
    """A run among all siblings that have reached the same epoch.

    `values`: their val accuracies there, its own included, the best first. `rank`: its index in
    them; of equal values the first in the order of the sweep ranks higher.
    """

    rank: int
    values: Sequence[float]

    @classmethod
    def of_all(cls, values: Mapping[str, float]) -> dict[str, "Standing"]:
        """The standing of each run, by id, the best first; `values` in the order of the sweep."""
        ranked = sorted(values, key=lambda run_id: -values[run_id])
        accuracies = [values[run_id] for run_id in ranked]
        return {run_id: cls(rank, accuracies) for rank, run_id in enumerate(ranked)}

    @property
    def own(self) -> float:
        """The run's own value."""
        return self.values[self.rank]

    @property
    def others(self) -> list[float]:
        """The values of its siblings."""
        return [*self.values[: self.rank], *self.values[self.rank + 1 :]]


class Rule(Protocol):
    """Pauses a run, and promotes one that is paused. It keeps no state.

    The run asks it after an epoch, and the source of trials asks it about paused runs. `name` is
    the option of the group pruning.
    """

    @property
    def name(self) -> str:
        """The option of the group pruning."""

    def applies(self, epoch: int, epochs: int) -> bool:
        """Whether a run of `epochs` epochs may be paused after `epoch`, which is not its last."""

    def goes_on(self, standing: Standing) -> bool:
        """Whether a run that has just reached an epoch goes on; otherwise it is paused."""

    def promotes(self, standing: Standing, more: int | None) -> bool:
        """Whether a paused run goes on now.

        `more` siblings may still reach its epoch; None where their number is not known.
        """

    def describe(self, epochs: int) -> str:
        """What it does to runs of `epochs` epochs, in a few words."""


class Siblings(Protocol):
    """The runs of a sweep whose results decide: of each configuration the first seed's."""

    def first_seed(self, run_id: str) -> str | None:
        """The id of the run that decides for this run's configuration; None if it is no sibling.

        No other run of the configuration is ever paused.
        """

    def at(self, run_id: str, epoch: int, *, is_best: bool) -> Mapping[str, float]:
        """By run id, in the order of the sweep, the val accuracy of a run and its siblings.

        Only of those that have reached `epoch` and are trained for as many epochs. With `is_best`,
        the best accuracy of the epochs up to it.
        """


def standings(
    siblings: Siblings, run_id: str, epoch: int, trainer: TrainerSection
) -> dict[str, Standing]:
    """The standing of a run and all its siblings at an epoch, by the metric that ranks runs."""
    return Standing.of_all(siblings.at(run_id, epoch, is_best=trainer.evaluate == "best"))


class PausedError(Exception):
    """The rule pauses the run after its last epoch, which is saved."""

    def __init__(self, pruned: PrunedInfo) -> None:
        super().__init__(f"paused after epoch {pruned.epoch}")
        self.pruned = pruned
