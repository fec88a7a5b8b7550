"""Promotion of paused runs: a source of trials around any other one.

The rule that pauses a run in the run itself also decides here when it goes on. All that is decided
follows from the run folders, so a sweep that was killed goes on as it would have done.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from cifar_exp.errors import UserError
from cifar_exp.runs.pruning.base import Rule, Siblings
from cifar_exp.runs.pruning.registry import make_rule
from cifar_exp.runs.pruning.siblings import SweepSiblings
from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.search.base import Source
from cifar_exp.sweeps.search.judgment import Judgment
from cifar_exp.sweeps.trial import Grid
from cifar_exp.text import counted

Live = Callable[[], AbstractSet[str]]


def with_promotion(source: Source, plan: Plan, live: Live) -> Source:
    """The source, with promotion of paused runs where the plan prunes.

    `live`: the ids of the runs that this command's executor has, as `Executor.live`.
    """
    rule = make_rule(plan.settings.pruning)
    if rule is None:
        return source
    return PromotingSource(source, rule, SweepSiblings(plan.folder), plan.name, live)


def check_pruning(grid: Grid) -> None:
    """Raise UserError where a command's pruning does not go with the rest of it."""
    sections = {settings.pruning for settings in grid.settings}
    words = grid.settings[0]
    if {section.name for section in sections} == {"none"}:
        return
    rule = f"pruning={words.pruning.name}"
    if len(sections) > 1:
        raise UserError("pruning: takes one value at a time; one rule holds for the whole sweep")
    if not grid.is_sweep:
        raise UserError(f"{rule}: compares the runs of a sweep; add --multirun, or leave it out")
    if grid.has_foreign_sweeper:
        raise UserError(f"{rule}: needs our own sweeper; leave out hydra/sweeper")
    if grid.confirms is not None:
        raise UserError(f"{rule}: a confirmation trains every run to its end; leave it out")
    if words.search.minimizes_pflop:
        raise UserError(
            f"{rule}: search.objective={words.search.objective} compares what whole runs cost; "
            "leave one of them out"
        )
    if grid.search is not None and words.pruning.name == "top_k" and words.search.runs is None:
        raise UserError(
            f"{rule}: needs search.runs, because no run goes on before all have had their grace"
        )
    if words.rerun:
        raise UserError(f"{rule}: rerun=true trains every run to its end; leave one of them out")


class PromotingSource:
    """Proposes first what was begun, then paused runs that are promoted, then what `source` does.

    The first seed of a configuration decides for it: the others are held back until that run has
    completed. For the sweep, paused runs that are not promoted are done, as is what they hold back.
    """

    is_adaptive = True  # who is promoted depends on results

    def __init__(
        self, source: Source, rule: Rule, siblings: Siblings, sweep: str, live: Live
    ) -> None:
        self.source, self.rule, self.siblings = source, rule, siblings
        self.sweep, self.live = sweep, live
        self._is_exhausted = not source.is_adaptive  # `source` has no more runs than it names now
        self._paused, self._held_back = 0, 0

    @property
    def runs(self) -> Mapping[str, PlannedRun]:
        """Those of the source."""
        return self.source.runs

    @property
    def note(self) -> str | None:
        """That of the source, and what is left paused."""
        notes = [self.source.note] if self.source.note else []
        if self._paused:
            further = f", and {counted(self._held_back, 'run')} of further seeds not begun"
            notes.append(
                f"{counted(self._paused, 'run')} paused by pruning={self.rule.name}"
                f"{further if self._held_back else ''}; pruning=none would train them to their end"
            )
        return "; ".join(notes) or None

    def propose(
        self, states: Mapping[str, RunState], busy: AbstractSet[str], n: int
    ) -> Sequence[PlannedRun]:
        """As `Source.propose`."""
        held = {run_id for run_id, state in states.items() if state.holder is not None}
        given_up = (busy & states.keys()) - self.live() - held
        judgment = Judgment(self.rule, self.siblings, self.sweep, self.runs, states, given_up)
        self._paused, self._held_back = len(judgment.paused), len(judgment.held_back)
        may_spend = self.may_spend(states)
        promoted = judgment.promoted(is_exhausted=self._is_exhausted) if may_spend else []
        proposed = self._free([*judgment.begun, *promoted], busy, n)
        if len(proposed) < n:
            chosen = {run.run_id for run in proposed}
            blocked = {*busy, *judgment.paused, *judgment.held_back, *chosen}
            proposed += self.source.propose(states, blocked, n - len(proposed))
        is_idle = busy & states.keys() == given_up  # nothing is in progress anywhere
        if not proposed and is_idle and may_spend:
            self._is_exhausted = True
            last = judgment.promoted(is_exhausted=True, is_last=True)
            proposed = self._free(last, busy, n)
        return proposed

    def may_spend(self, states: Mapping[str, RunState]) -> bool:
        """That of the source."""
        return self.source.may_spend(states)

    def _free(self, run_ids: Sequence[str], busy: AbstractSet[str], n: int) -> list[PlannedRun]:
        return [self.runs[run_id] for run_id in run_ids if run_id not in busy][:n]
