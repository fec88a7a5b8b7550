"""How much of a sweep is done, and how much is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.sweeps.plan import Plan, PlannedRun, missing_runs
from cifar_exp.sweeps.search.base import Source
from cifar_exp.sweeps.search.outlook import Outlook


@dataclass(frozen=True)
class Progress:
    """The runs of a plan, of a search those proposed so far, with their states by id."""

    plan: Plan
    runs: Sequence[PlannedRun]
    states: Mapping[str, RunState]

    @classmethod
    def of(cls, plan: Plan, source: Source) -> "Progress":
        """The states now."""
        runs = source.runs
        return cls(plan, list(runs.values()), read_states(plan.runs_folder, runs))

    @cached_property
    def missing(self) -> list[PlannedRun]:
        """The runs that would be trained; with pruning, no more than these."""
        return missing_runs(self.runs, self.states)

    @property
    def done(self) -> int:
        """The number of runs that would not be trained."""
        return len(self.runs) - len(self.missing)

    @property
    def paused(self) -> int:
        """The number of runs that are paused and may be promoted; none without pruning."""
        if self.plan.settings.pruning.name == "none":
            return 0
        return sum(state.status == "pruned" for state in self.states.values())

    @cached_property
    def outlook(self) -> Outlook | None:
        """What a search has left to propose; None for a grid."""
        return None if self.plan.search is None else Outlook(self.plan, self.runs, self.states)

    @property
    def to_train(self) -> int | None:
        """The number of runs that would be trained; None if only a budget ends the search."""
        if self.outlook is None:
            return len(self.missing)
        return None if self.outlook.most is None else self.outlook.most - self.done

    def __str__(self) -> str:
        if self.outlook is not None:
            return f"search   {self.outlook.what}; {self.outlook.progress(self.done, self.paused)}"
        bound = "" if self.plan.settings.pruning.name == "none" else "at most "
        missing = f"{bound}{len(self.missing)} to train"
        return f"grid     {self.plan.grid}; {self.done} done, {missing}"
