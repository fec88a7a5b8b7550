"""The runs of a plan that are missing, as a source of trials."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.duration import longest_first
from cifar_exp.sweeps.plan import Plan, PlannedRun, missing_runs


class GridSource:
    """Proposes every run that is missing, seeds outermost."""

    is_adaptive = False
    note: str | None = None

    def __init__(self, plan: Plan) -> None:
        self.runs: Mapping[str, PlannedRun] = plan.by_id

    def propose(
        self, states: Mapping[str, RunState], busy: AbstractSet[str], n: int
    ) -> Sequence[PlannedRun]:
        """The first `n` missing runs in launch order."""
        missing = missing_runs(self.runs.values(), states)
        return launch_order([run for run in missing if run.run_id not in busy])[:n]

    def may_spend(self, states: Mapping[str, RunState]) -> bool:  # noqa: ARG002
        """A grid has no budget."""
        return True


def launch_order(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Seeds outermost, so that one whole grid is done early; within a seed, longest runs first."""
    by_id = {run.run_id: run for run in runs}
    costs = {run.run_id: run.cost for run in runs}
    order = longest_first(costs, by_id)
    seeds = list(dict.fromkeys(run.trial.settings.seed for run in runs))
    return sorted((by_id[i] for i in order), key=lambda run: seeds.index(run.trial.settings.seed))
