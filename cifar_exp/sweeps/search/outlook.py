"""What a search has ahead of it: its limits, and runs like those that it will propose."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import cycle, islice

from cifar_exp.errors import UserError
from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.search.budget import spent
from cifar_exp.text import counted

DRAWN = 32  # configurations that stand for all others


class Outlook:
    """The search of a plan with the runs that it has proposed, and their states by id."""

    def __init__(
        self, plan: Plan, runs: Sequence[PlannedRun], states: Mapping[str, RunState]
    ) -> None:
        assert plan.search is not None
        self._search, self._words, self._settings = plan.search, plan.settings.search, plan.settings
        self._proposed = len(runs)
        self._spent = spent(states.values())

    @property
    def what(self) -> str:
        """`tpe over 3 settings`."""
        keys = dict.fromkeys(dimension.key for dimension in self._search.space.dimensions)
        return f"{self._words.name} over {counted(len(keys), 'setting')}"

    @property
    def most(self) -> int | None:
        """The largest number of runs that there can be; None if only a budget ends the search."""
        size = self._search.space.size()
        limits = [self._words.runs, None if size is None else size * self._words.seeds]
        return min((limit for limit in limits if limit is not None), default=None)

    @property
    def minutes_left(self) -> float | None:
        """What is left of a budget of minutes; None without one."""
        budget = self._words.budget_minutes
        return None if budget is None else max(0.0, budget - self._spent.minutes)

    def progress(self, done: int, paused: int) -> str:
        """`12 of 40 runs done, 9 paused, 30 of 60 minutes used`."""
        words = self._words
        parts = [counted(done, "run") if self.most is None else f"{done} of {self.most} runs"]
        parts = [f"{parts[0]} done", *([f"{paused} paused"] if paused else [])]
        if words.budget_minutes is not None:
            parts.append(f"{self._spent.minutes:.3g} of {words.budget_minutes:g} minutes used")
        if words.budget_pflop is not None:
            parts.append(f"{self._spent.pflop:.3g} of {words.budget_pflop:g} PFLOP used")
        return ", ".join(parts)

    def expected(self) -> list[PlannedRun]:
        """A run for each one that is not proposed yet, drawn at random; none without a number."""
        left = 0 if self.most is None else self.most - self._proposed
        drawn = list(islice(self._drawn(), min(DRAWN, left)))
        return list(islice(cycle(drawn), left)) if drawn else []

    def _drawn(self) -> Iterator[PlannedRun]:
        from cifar_exp.sweeps.search.samplers.independent import RandomSampler

        sampler = RandomSampler(self._search.space, self._words.seed)
        for values in islice(sampler.candidates((), self._proposed), 10 * DRAWN):
            with suppress(UserError):  # values that are not allowed together
                yield self._search.make_run(values, self._settings.seed)
