"""The interface of a source of trials: a grid is the simplest, a search learns from results."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.plan import PlannedRun


class Source(Protocol):
    """Says which runs a sweep trains next. Its state is in the run folders and sweep.yaml alone."""

    @property
    def is_adaptive(self) -> bool:
        """Whether proposals depend on results.

        Then no more are made than there are free slots; otherwise all are made at once.
        """

    @property
    def runs(self) -> Mapping[str, PlannedRun]:
        """All runs proposed so far, by id, in order; of a grid all runs."""

    def propose(
        self, states: Mapping[str, RunState], busy: AbstractSet[str], n: int
    ) -> Sequence[PlannedRun]:
        """Up to `n` runs to train, or to train on, now.

        `states` are those of `runs`. None of `busy` may be proposed: they are live, held by another
        process, or given up by this command. A source that draws new runs enters them in runs.csv
        first. If nothing is proposed while nothing is live, the sweep is over.
        """

    def may_spend(self, states: Mapping[str, RunState]) -> bool:
        """Whether its budget allows more training than that of runs in progress."""

    @property
    def note(self) -> str | None:
        """What the user should know of the end of the proposals, if anything."""
