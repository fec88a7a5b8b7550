"""The state of a sweep at one moment, read from files alone, for the live table and `status`."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cifar_exp.storage.atomic import mtime_ns
from cifar_exp.storage.jobs import Job, JobsFile
from cifar_exp.storage.run_state import RunState, read_state, run_folders
from cifar_exp.storage.sweep_folder import SweepFile, SweepFolder, SweepRow
from cifar_exp.sweeps.duration import (
    DurationModel,
    TimingSample,
    longest_first,
    makespan,
    seconds_left,
    timing_sample,
)
from cifar_exp.sweeps.states import StateReader
from cifar_exp.training.cost import RunCost

WAITING = frozenset({"pending", "interrupted", "failed"})
MAX_SAMPLES = 200  # the latest runs from which durations are predicted


@dataclass(frozen=True)
class Snapshot:
    """A sweep's rows with their states, in grid order; `seconds_left` is None where unknown.

    `jobs`: by run id, the jobs of a cluster that no command has seen end.
    """

    name: str
    rows: Sequence[SweepRow]
    states: Mapping[str, RunState]
    seconds_left: float | None
    jobs: Mapping[str, Job] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[str]:
        """The number of runs by status."""
        return Counter(state.status for state in self.states.values())

    @property
    def running(self) -> list[SweepRow]:
        """The runs that are being trained."""
        return self._with("running")

    @property
    def queued(self) -> list[SweepRow]:
        """The runs that wait for their job to start, or to start again."""
        return [row for row in self.rows if self.is_queued(row)]

    @property
    def unsuccessful(self) -> list[SweepRow]:
        """The runs that failed, diverged or were interrupted, and are not queued."""
        ended = self._with("failed", "diverged", "interrupted")
        return [row for row in ended if not self.is_queued(row)]

    @property
    def ranked(self) -> list[SweepRow]:
        """The completed runs, the best first."""
        return sorted(self._with("completed"), key=lambda row: -(self.metric(row) or 0.0))

    def is_queued(self, row: SweepRow) -> bool:
        """Whether the run waits for its job to start, or to start again."""
        return row.run_id in self.jobs and self.states[row.run_id].status in WAITING

    def metric(self, row: SweepRow) -> float | None:
        """The number by which a run is ranked."""
        record = self.states[row.run_id].record
        return None if record is None else record.metric

    def _with(self, *statuses: str) -> list[SweepRow]:
        return [row for row in self.rows if self.states[row.run_id].status in statuses]


class SnapshotReader:
    """Takes snapshots of one sweep. `living` leaves out jobs that are known to have ended."""

    def __init__(
        self, path: Path, living: Callable[[Sequence[Job]], Sequence[Job]] = lambda jobs: jobs
    ) -> None:
        self.folder, self._living = SweepFolder(path), living
        self._states = StateReader(self.folder.runs_folder)
        self._samples_elsewhere: list[TimingSample] | None = None
        self._file: tuple[int, SweepFile] | None = None

    def take(self) -> Snapshot:
        """The state of the sweep now."""
        rows = self.folder.rows()
        states = self._states.read(row.run_id for row in rows)
        file = self._read_file()
        costs = {row.run_id: _cost(file, row.run_id) for row in rows}
        jobs = {job.run_id: job for job in self._living(JobsFile(self.folder.path).read())}
        return Snapshot(self.folder.name, rows, states, self._seconds_left(states, costs), jobs)

    def _read_file(self) -> SweepFile:
        # the YAML of a thousand runs is slow to parse, and the live table is drawn every second
        written = mtime_ns(self.folder.path / "sweep.yaml")
        if self._file is None or self._file[0] != written:
            self._file = (written, self.folder.read_file())
        return self._file[1]

    def _seconds_left(
        self,
        states: Mapping[str, RunState],
        costs: Mapping[str, RunCost | None],
    ) -> float | None:
        running = [i for i, state in states.items() if state.status == "running"]
        if not running:
            return None
        samples = [s for state in states.values() if (s := timing_sample(state))]
        durations = DurationModel(samples or self._other_samples(states))
        waiting = [i for i, state in states.items() if state.status in WAITING]
        waiting = longest_first(costs, waiting)
        left = {i: seconds_left(states[i], costs[i], durations) for i in [*running, *waiting]}
        return makespan([left[i] for i in running], [left[i] for i in waiting], len(running))

    def _other_samples(self, states: Mapping[str, RunState]) -> list[TimingSample]:
        """From runs of other sweeps, while this one has no completed run."""
        if self._samples_elsewhere is None:
            folders = run_folders(self.folder.runs_folder)
            others = {i: folder for i, folder in folders.items() if i not in states}
            self._samples_elsewhere = latest_samples(self.folder.runs_folder, others)
        return self._samples_elsewhere


def _cost(file: SweepFile, run_id: str) -> RunCost | None:
    match file.efforts.get(run_id):
        case [images, pflop] if 0 < images < math.inf and 0 < pflop < math.inf:
            return RunCost(images, pflop)
    return None


def latest_samples(runs: Path, folders: Mapping[str, Path]) -> list[TimingSample]:
    """The timings of the latest of these runs."""
    latest = sorted(folders, key=lambda i: -mtime_ns(folders[i]))[:MAX_SAMPLES]
    states = (read_state(runs, run_id, folders[run_id]) for run_id in latest)
    return [sample for state in states if (sample := timing_sample(state))]
