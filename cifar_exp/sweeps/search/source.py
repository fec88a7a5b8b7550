"""A search as a source of trials: each proposal follows from the runs that are in their folders."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, islice
from typing import Any

from cifar_exp.config.search import SearchSection
from cifar_exp.errors import UserError
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.storage.sweep_folder import SweepFolder, SweepRow
from cifar_exp.sweeps.plan import MakeRun, Plan, PlannedRun, missing_runs
from cifar_exp.sweeps.search.budget import exceeded, spent
from cifar_exp.sweeps.search.history import (
    Configuration,
    ForeignRuns,
    Result,
    lies_in,
    observation,
    results,
)
from cifar_exp.sweeps.search.leftover import leftover
from cifar_exp.sweeps.search.pareto import front_note
from cifar_exp.sweeps.search.proposed import values_in_row
from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.samplers.registry import make_sampler
from cifar_exp.sweeps.search.seeds import Entrant, best_open
from cifar_exp.sweeps.search.space import Space
from cifar_exp.sweeps.search.stopping import noise_reached

TRIES = 50  # candidates of the sampler for one proposal, before any other configuration is taken

States = Mapping[str, RunState]


class SearchSource:
    """Proposes runs in a space until there are `search.runs`, or another limit is reached.

    What it knows it reads: its proposals from runs.csv, their results and those of other sweeps
    from the run folders. Configuration number p is drawn with a generator that is seeded by
    (search.seed, p). So a search that was killed and goes on proposes what it would have proposed,
    as long as one run at a time is trained.

    Raises UserError if the sampler cannot search the space, or one seed is to measure the noise.
    """

    is_adaptive = True

    def __init__(self, plan: Plan, space: Space, make_run: MakeRun) -> None:
        self.space, self.make_run = space, make_run
        self.section, self.first_seed = plan.settings.search, plan.settings.seed
        _check_noise(self.section)
        self.runs_folder, self.folder = plan.runs_folder, SweepFolder(plan.folder)
        self.sampler = make_sampler(self.section, space)
        self.foreign = ForeignRuns(plan.runs_folder, space, make_run, self.first_seed)
        self.configurations: dict[str, Configuration] = {}
        self._runs: dict[str, PlannedRun] = {}
        self._others: set[str] = set()  # rows of runs.csv that are not of this search
        self._reason: str | None = None
        self._front: str | None = None

    @property
    def runs(self) -> Mapping[str, PlannedRun]:
        """All runs of the sweep in this space, in the order of their proposals.

        Also those that another process has proposed meanwhile.
        """
        self._adopt(self.folder.rows())
        return self._runs

    @property
    def note(self) -> str | None:
        """Why it ended before `search.runs`, and what is best at every cost."""
        return "; ".join(filter(None, (self._reason, self._front))) or None

    def propose(self, states: States, busy: AbstractSet[str], n: int) -> Sequence[PlannedRun]:
        """Runs that were proposed and are not trained yet, then new ones."""
        states = self._with_adopted(states)
        if self.section.minimizes_pflop:
            self._front = front_note(self._history(self._ended(states)))
        self._reason = self._exceeded(states) or self._noise_reached(states)
        proposed = self._unfinished(states, busy)[:n]
        if len(proposed) < n and self._reason is None and not self._is_complete():
            proposed += self._new_runs(states, n - len(proposed))
        return proposed

    def may_spend(self, states: States) -> bool:
        """Whether neither budget is used up."""
        return self._exceeded(states) is None

    def _exceeded(self, states: States) -> str | None:
        return exceeded(self.section, spent(states.values()))

    def _noise_reached(self, states: States) -> str | None:
        if not self.section.stop_at_noise:
            return None
        ended = self._ended(states)
        return noise_reached(self._own(ended), self._entrants(ended))

    def _with_adopted(self, states: States) -> States:
        missing = self._runs.keys() - states.keys()
        return {**states, **read_states(self.runs_folder, missing)} if missing else states

    def _unfinished(self, states: States, busy: AbstractSet[str]) -> list[PlannedRun]:
        missing = missing_runs(self._runs.values(), states)
        return [run for run in missing if run.run_id not in busy]

    def _new_runs(self, states: States, n: int) -> list[PlannedRun]:
        """Draw and enter runs under the sweep's lock, so that processes never exceed the number."""
        self.foreign.refresh(self._runs.keys())
        drawn: list[PlannedRun] = []

        def enter(rows: Sequence[SweepRow]) -> Mapping[str, Mapping[str, Any]]:
            self._adopt(rows)
            drawn.extend(islice(self._draw(self._with_adopted(states)), n))
            return {run.run_id: run.trial.values for run in drawn}

        self.folder.extend(enter)
        return drawn

    def _draw(self, states: States) -> Iterator[PlannedRun]:
        ended = self._ended(states)
        history = self._history(ended)
        while not self._is_complete():
            run = self._further_seed(ended) or self._new_configuration(history)
            if run is None:
                self._reason = self._used_up()
                return
            yield run

    def _used_up(self) -> str:
        others = self.foreign.configurations - self.configurations.keys()
        more = f", and {len(others)} more are of other sweeps" if others else ""
        return (
            f"no new runs: all {len(self.configurations)} configurations of the space "
            f"are proposed{more}"
        )

    def _ended(self, states: States) -> dict[str, dict[int, Result]]:
        return {key: results(each, states) for key, each in self.configurations.items()}

    def _is_complete(self) -> bool:
        return self.section.runs is not None and len(self._runs) >= self.section.runs

    def _history(self, ended: Mapping[str, Mapping[int, Result]]) -> list[Observation]:
        """Other sweeps first, then its own in the order of the proposals."""
        foreign = self.foreign.observations(but=self.configurations.keys())
        return [*foreign, *self._own(ended)]

    def _own(self, ended: Mapping[str, Mapping[int, Result]]) -> list[Observation]:
        own = (
            observation(each.values, ended[key].values())
            for key, each in self.configurations.items()
            if lies_in(self.space, each.values)
        )
        return [each for each in own if each is not None]

    def _further_seed(self, ended: Mapping[str, Mapping[int, Result]]) -> PlannedRun | None:
        if self.section.seeds == 1:
            return None
        keys, entrants = list(ended), self._entrants(ended)
        place = best_open(entrants, by_cost=self.section.minimizes_pflop)
        if place is None:
            return None
        configuration = self.configurations[keys[place]]
        seed = min(self._seeds() - configuration.runs.keys())
        run = self.make_run(configuration.values, seed)
        self._enter(keys[place], configuration.values, seed, run)
        return run

    def _entrants(self, ended: Mapping[str, Mapping[int, Result]]) -> list[Entrant]:
        return [self._entrant(self.configurations[key], ended[key]) for key in ended]

    def _entrant(self, configuration: Configuration, ended: Mapping[int, Result]) -> Entrant:
        whole = {seed: result for seed, result in ended.items() if result.paused_at is None}
        return Entrant(
            {seed: result.accuracy for seed, result in whole.items()},
            sum(result.pflop for result in whole.values()) / max(1, len(whole)),
            is_open=len(whole) == len(configuration.runs)
            and bool(self._seeds() - configuration.runs.keys()),
        )

    def _seeds(self) -> set[int]:
        return set(range(self.first_seed, self.first_seed + self.section.seeds))

    def _new_configuration(self, history: Sequence[Observation]) -> PlannedRun | None:
        """The first candidate that no sweep has begun; None if there is no other.

        Raises UserError if no values of the space are allowed together.
        """
        number = len(self.configurations)
        known = self.configurations.keys() | self.foreign.configurations
        candidates = chain(
            islice(self.sampler.candidates(history, number), TRIES),
            leftover(self.space, self.section.seed, number),
        )
        problem = None
        for values in candidates:
            try:
                run = self.make_run(values, self.first_seed)
            except UserError as error:  # values that are not allowed together
                problem = error
                continue
            if run.run_id not in known:
                self._enter(run.run_id, values, self.first_seed, run)
                return run
        if problem is not None and not known:
            raise problem
        return None

    def _adopt(self, rows: Sequence[SweepRow]) -> None:
        """Take over the rows of runs.csv that a command with this space proposed."""
        for row in rows:
            if row.run_id not in self._runs and row.run_id not in self._others:
                values = values_in_row(self.space, row.values)
                if values is None or not self._adopt_row(row, values):
                    self._others.add(row.run_id)

    def _adopt_row(self, row: SweepRow, values: Mapping[str, Any]) -> bool:
        text = row.values.get("seed", "")
        for seed in [int(text)] if text.isdecimal() else sorted(self._seeds()):
            try:
                run = self.make_run(values, seed)
                key = self.make_run(values, self.first_seed).run_id
            except UserError:  # not allowed any more
                return False
            if run.run_id == row.run_id:
                self._enter(key, values, seed, run)
                return True
        return False

    def _enter(self, key: str, values: Mapping[str, Any], seed: int, run: PlannedRun) -> None:
        self._runs[run.run_id] = run
        self.configurations.setdefault(key, Configuration(values)).runs[seed] = run.run_id


def _check_noise(section: SearchSection) -> None:
    if section.stop_at_noise and section.seeds == 1:
        raise UserError(
            "search.stop_at_noise=true: needs search.seeds=2 or more, which measure the noise"
        )
    if section.stop_at_noise and section.minimizes_pflop:
        raise UserError("search.stop_at_noise=true: goes with search.objective=accuracy")
