"""How much of a plan is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cifar_exp.storage.record import needs_no_training
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.sweeps.plan import Plan, PlannedRun


@dataclass(frozen=True)
class Progress:
    """A plan with the states of its runs, by id."""

    plan: Plan
    states: Mapping[str, RunState]

    @classmethod
    def of(cls, plan: Plan) -> "Progress":
        """The states now."""
        return cls(plan, read_states(plan.runs_folder, plan.by_id))

    @cached_property
    def missing(self) -> list[PlannedRun]:
        """The runs that would be trained; with pruning, no more than these."""
        return [
            run
            for run in self.plan.runs
            if not needs_no_training(self.states[run.run_id].status, run.trial.settings)
        ]

    @property
    def done(self) -> int:
        """The number of runs that would not be trained."""
        return len(self.plan.runs) - len(self.missing)

    def __str__(self) -> str:
        bound = "" if self.plan.settings.pruning.name == "none" else "at most "
        return f"{self.plan.grid}; {self.done} done, {bound}{len(self.missing)} to train"
