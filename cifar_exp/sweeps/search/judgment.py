"""What a pruning rule makes of the states of a sweep's runs, at one moment."""

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from cifar_exp.config.schema import TrainerSection
from cifar_exp.runs.pruning.base import Rule, Siblings, Standing, standings
from cifar_exp.storage.record import needs_no_training
from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.plan import PlannedRun

BEGUN = frozenset({"interrupted", "failed"})

Rung = tuple[int, int, str]  # an epoch, of how many, and by which weights runs are ranked


@dataclass(frozen=True)
class Judgment:
    """`sweep` is the sweep's name; `given_up`: runs that this command does not train any more."""

    rule: Rule
    siblings: Siblings
    sweep: str
    runs: Mapping[str, PlannedRun]
    states: Mapping[str, RunState]
    given_up: AbstractSet[str]
    _standings: dict[Rung, dict[str, Standing]] = field(default_factory=dict)

    @cached_property
    def first_seeds(self) -> Mapping[str, str]:
        """By run id, the run that decides for its configuration."""
        return {run_id: self.siblings.first_seed(run_id) or run_id for run_id in self.states}

    @cached_property
    def paused(self) -> list[str]:
        """The paused runs, each of which decides for its configuration."""
        return [i for i, first in self.first_seeds.items() if first == i and self._is(i, "pruned")]

    @cached_property
    def held_back(self) -> set[str]:
        """The runs of further seeds whose configuration's first seed has not completed."""
        return {
            i
            for i, first in self.first_seeds.items()
            if first != i
            and first in self.states
            and not self._is(first, "completed")
            and not self._is(i, "completed")
        }

    @property
    def begun(self) -> Iterator[str]:
        """The runs that were begun and are to be continued, as far as no rule paused them."""
        for run_id, state in self.states.items():
            if state.status in BEGUN and self._may_go_on(run_id) and run_id not in self.held_back:
                yield run_id

    def promoted(self, *, is_exhausted: bool, is_last: bool = False) -> list[str]:
        """The paused runs that go on now: those of the highest rung first, the best first.

        `is_exhausted`: no other runs are to come than those there are. `is_last`: nor does any run
        reach a rung that it has not reached.
        """
        found: list[tuple[float, int, str]] = []
        for run_id in self.paused:
            trainer = self.runs[run_id].trial.settings.trainer
            epoch = self._rung(run_id, trainer)
            standing = None if epoch is None else self._at(run_id, epoch, trainer).get(run_id)
            if epoch is None or standing is None:  # paused by another rule, where this one does not
                found.append((-math.inf, 0, run_id))
                continue
            more = 0 if is_last else self._more(run_id, epoch, trainer) if is_exhausted else None
            if self._goes_on(run_id, standing, more):
                found.append((-epoch, standing.rank, run_id))
        return [run_id for _, _, run_id in sorted(found, key=lambda each: each[:2])]

    def _goes_on(self, run_id: str, standing: Standing, more: int | None) -> bool:
        record = self.states[run_id].record
        pruned = record.pruned if record else None
        is_ours = pruned and (pruned.sweep, pruned.rule) == (self.sweep, self.rule.name)
        if not is_ours and self.rule.goes_on(standing):  # what it would have done here
            return True
        return self.rule.promotes(standing, more)

    def _rung(self, run_id: str, trainer: TrainerSection) -> int | None:
        """The last epoch of the run after which the rule may pause it."""
        done = range(self.states[run_id].epoch, 0, -1)
        return next((e for e in done if self.rule.applies(e, trainer.epochs)), None)

    def _at(self, run_id: str, epoch: int, trainer: TrainerSection) -> dict[str, Standing]:
        rung = (epoch, trainer.epochs, trainer.evaluate)
        if rung not in self._standings:  # the same for a thousand runs
            self._standings[rung] = standings(self.siblings, run_id, epoch, trainer)
        return self._standings[rung]

    def _more(self, run_id: str, epoch: int, trainer: TrainerSection) -> int:
        reached = self._at(run_id, epoch, trainer)
        return sum(
            first == i
            and i not in reached
            and self.runs[i].trial.settings.trainer.epochs == trainer.epochs
            and self._may_go_on(i)
            for i, first in self.first_seeds.items()
        )

    def _may_go_on(self, run_id: str) -> bool:
        settings = self.runs[run_id].trial.settings
        is_done = needs_no_training(self.states[run_id].status, settings)
        return not is_done and run_id not in self.given_up

    def _is(self, run_id: str, status: str) -> bool:
        return self.states[run_id].status == status
