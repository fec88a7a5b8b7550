"""A sweep on a simulated clock: the real source, rule and bookkeeping, and recorded runs."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from recorded import RecordedGrid, RecordedRun

from cifar_exp.runs.pruning.base import PausedError, Rule, Siblings
from cifar_exp.runs.pruning.pruner import Pruner
from cifar_exp.storage.record import PrunedInfo
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepFolder, SweepRow
from cifar_exp.sweeps.attempts import Attempts
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.search.base import Source
from cifar_exp.text import value_as_text

# Makes a source, given the sweep's folder, the siblings and what lists the runs that are live.
MakeSource = Callable[[SweepFolder, Siblings, Callable[[], AbstractSet[str]]], Source]


@dataclass(frozen=True)
class End:
    """A run has been completed or paused. `pflop`, `seconds`: spent by the whole sweep so far."""

    run: RecordedRun
    is_complete: bool
    pflop: float
    seconds: float


@dataclass
class _Job:
    """A run in progress: the epochs done, and when the current one began and will end."""

    run: RecordedRun
    epoch: int
    began: float
    ends: float


@dataclass
class Progress:
    """The epochs done of each run that was proposed. Implements `Siblings` of runs/pruning."""

    grid: RecordedGrid
    epochs: dict[str, int] = field(default_factory=dict)  # by run id, in the order of the sweep
    first: dict[tuple[str, ...], str] = field(default_factory=dict)

    def add(self, run_id: str) -> None:
        """A run of the sweep, after those that there are."""
        self.epochs.setdefault(run_id, 0)
        self.first.setdefault(self.grid.runs[run_id].configuration, run_id)

    def first_seed(self, run_id: str) -> str | None:
        """As `Siblings.first_seed`."""
        return self.first.get(self.grid.runs[run_id].configuration)

    def at(self, run_id: str, epoch: int, *, is_best: bool) -> Mapping[str, float]:
        """As `Siblings.at`."""
        assert not is_best
        if self.epochs.get(run_id, 0) < epoch:
            return {}
        return {
            each: self.grid.runs[each].accuracies[epoch - 1]
            for each in self.first.values()
            if self.epochs[each] >= epoch
        }


class MemoryFolder(SweepFolder):
    """The folder of a sweep, with runs.csv in memory: no other process knows of it."""

    _rows: tuple[SweepRow, ...] = ()

    def rows(self) -> list[SweepRow]:
        """As of runs.csv."""
        return list(self._rows)

    def extend(
        self, propose: Callable[[Sequence[SweepRow]], Mapping[str, Mapping[str, Any]]]
    ) -> None:
        """As of runs.csv."""
        known = {row.run_id for row in self._rows}
        self._rows += tuple(
            SweepRow(run_id, "", "pending", {k: value_as_text(v) for k, v in values.items()})
            for run_id, values in propose(self._rows).items()
            if run_id not in known
        )


class SimulatedSweep:
    """As `sweeps/sweep.py`, but a run takes the time that it took when it was recorded."""

    def __init__(
        self,
        grid: RecordedGrid,
        plan: Plan,
        make_source: MakeSource,
        rule: Rule | None,
        workers: int,
    ) -> None:
        self.grid, self.plan, self.rule, self.workers = grid, plan, rule, workers
        self.progress = Progress(grid)
        for run_id in plan.by_id:
            self.progress.add(run_id)
        self.source = make_source(MemoryFolder(plan.folder), self.progress, self.live)
        self.attempts = Attempts(plan.settings)
        self._states: dict[str, RunState] = {}
        self._queue: list[str] = []
        self._jobs: dict[str, _Job] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._events, self._now, self._pflop = 0, 0.0, 0.0

    def live(self) -> set[str]:
        """The ids of the runs that are queued or in progress."""
        return {*self._queue, *self._jobs}

    def play(self) -> Iterator[End]:
        """The ends of runs, in the order in which they happen, until the sweep is over."""
        while True:
            self._propose()
            if not self._jobs:
                return
            end = self._advance()
            while end is None and not (self.source.is_adaptive and self._room()):
                end = self._advance()
            if end is not None:
                yield end

    def _room(self) -> int:
        return self.workers - len(self._jobs)

    def _propose(self) -> None:
        states = {i: self._states.get(i) or self.grid.runs[i].pending for i in self.source.runs}
        self.attempts.judge(states)
        n = self._room() if self.source.is_adaptive else len(states)
        proposed = self.source.propose(states, self.live() | self.attempts.given_up, n)
        for run in proposed:
            self.progress.add(run.run_id)
            self._queue.append(run.run_id)
        while self._queue and self._room():
            self._start(self._queue.pop(0))

    def _start(self, run_id: str) -> None:
        run = self.grid.runs[run_id]
        self._states[run_id] = run.running
        self._jobs[run_id] = _Job(run, self.progress.epochs[run_id], self._now, 0.0)
        self._plan_epoch(run_id)

    def _plan_epoch(self, run_id: str) -> None:
        job = self._jobs[run_id]
        job.began = self._now
        job.ends = self._now + job.run.seconds[job.epoch + 1] - job.run.seconds[job.epoch]
        self._events += 1
        heapq.heappush(self._heap, (job.ends, self._events, run_id))

    def _advance(self) -> End | None:
        """Go on to the end of the next epoch; returns the run's end if it is that."""
        self._now, _, run_id = heapq.heappop(self._heap)
        job = self._jobs[run_id]
        job.epoch += 1
        self.progress.epochs[run_id] = job.epoch
        self._pflop += job.run.pflop[job.epoch] - job.run.pflop[job.epoch - 1]
        pruned = self._pruned(job)
        is_complete = job.epoch == job.run.epochs
        if not is_complete and pruned is None:
            self._plan_epoch(run_id)
            return None
        del self._jobs[run_id]
        self._states[run_id] = job.run.ended(job.epoch, pruned)
        self.attempts.add(run_id, None)
        if self._queue:
            self._start(self._queue.pop(0))
        return End(job.run, is_complete, self._pflop + self._in_progress(), self._now)

    def _pruned(self, job: _Job) -> PrunedInfo | None:
        if self.rule is None:
            return None
        planned = job.run.planned
        trainer = planned.trial.settings.trainer
        pruner = Pruner(self.rule, self.progress, planned.run_id, self.plan.name, trainer)
        try:
            pruner.check(job.epoch)
        except PausedError as paused:
            return paused.pruned
        return None

    def _in_progress(self) -> float:
        """The PFLOP of the parts of epochs that other workers have done."""
        return sum(
            (job.run.pflop[job.epoch + 1] - job.run.pflop[job.epoch])
            * (self._now - job.began)
            / (job.ends - job.began)
            for job in self._jobs.values()
            if job.ends > job.began
        )
