"""How a sweep stands at a moment, from files alone: the live table and `status` show the same."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.storage.atomic import mtime_ns
from cifar_exp.storage.lock import lock_holder
from cifar_exp.storage.record import TERMINAL
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
from cifar_exp.training.cost import RunCost

FEW_EXAMPLES = 200  # other runs to judge by, the latest ones


@dataclass(frozen=True)
class Snapshot:
    """A sweep's rows with their states, in grid order; `seconds_left` is None where unknown."""

    name: str
    rows: Sequence[SweepRow]
    states: Mapping[str, RunState]
    seconds_left: float | None

    @property
    def counts(self) -> Counter[str]:
        """How many runs stand how."""
        return Counter(state.status for state in self.states.values())

    @property
    def running(self) -> list[SweepRow]:
        """What is being trained."""
        return self._with("running")

    @property
    def unsuccessful(self) -> list[SweepRow]:
        """What failed, diverged, or was interrupted and waits to go on."""
        return self._with("failed", "diverged", "interrupted")

    @property
    def ranked(self) -> list[SweepRow]:
        """The completed runs, the best first."""
        return sorted(self._with("completed"), key=lambda row: -(self.metric(row) or 0.0))

    @property
    def best(self) -> SweepRow | None:
        """The best run so far."""
        return next(iter(self.ranked), None)

    def metric(self, row: SweepRow) -> float | None:
        """What a run is ranked by."""
        record = self.states[row.run_id].record
        return None if record is None else record.metric

    def _with(self, *statuses: str) -> list[SweepRow]:
        return [row for row in self.rows if self.states[row.run_id].status in statuses]


class SnapshotReader:
    """Takes snapshots of one sweep; what is final is read once."""

    def __init__(self, path: Path) -> None:
        self.folder = SweepFolder(path)
        self._final: dict[str, tuple[int, RunState]] = {}
        self._others: list[TimingSample] | None = None
        self._file: tuple[int, SweepFile] | None = None

    def take(self) -> Snapshot:
        """How the sweep stands now."""
        rows, runs = self.folder.rows(), self.folder.runs_folder
        folders = run_folders(runs)
        states = {row.run_id: self._state(runs, row.run_id, folders) for row in rows}
        file = self._read_file()
        costs = {row.run_id: _cost(file, row.run_id) for row in rows}
        return Snapshot(self.folder.name, rows, states, self._time(states, costs, folders))

    def _read_file(self) -> SweepFile:
        # YAML of a thousand runs takes its time, and the live table asks every second
        written = mtime_ns(self.folder.path / "sweep.yaml")
        if self._file is None or self._file[0] != written:
            self._file = (written, self.folder.read_file())
        return self._file[1]

    def _state(self, runs: Path, run_id: str, folders: Mapping[str, Path]) -> RunState:
        folder = folders.get(run_id)
        written = mtime_ns(folder / "run.json") if folder else 0
        known_at, known = self._final.get(run_id, (0, None))
        is_same = known is not None and known_at == written and known.folder == folder
        if known is not None and is_same and lock_holder(runs, run_id) is None:  # else a rerun
            return known
        state = read_state(runs, run_id, folder)
        if state.status in TERMINAL:
            self._final[run_id] = (written, state)
        return state

    def _time(
        self,
        states: Mapping[str, RunState],
        costs: Mapping[str, RunCost | None],
        folders: Mapping[str, Path],
    ) -> float | None:
        running = [i for i, state in states.items() if state.status == "running"]
        if not running:
            return None
        examples = [e for state in states.values() if (e := timing_sample(state))]
        durations = DurationModel(examples or self._examples_elsewhere(states, folders))
        waiting = [i for i, s in states.items() if s.status in ("pending", "interrupted", "failed")]
        waiting = longest_first(costs, waiting)
        left = {i: seconds_left(states[i], costs[i], durations) for i in [*running, *waiting]}
        return makespan([left[i] for i in running], [left[i] for i in waiting], len(running))

    def _examples_elsewhere(
        self, states: Mapping[str, RunState], folders: Mapping[str, Path]
    ) -> list[TimingSample]:
        if self._others is None:
            others = {i: folder for i, folder in folders.items() if i not in states}
            self._others = latest_samples(self.folder.runs_folder, others)
        return self._others


def _cost(file: SweepFile, run_id: str) -> RunCost | None:
    images, pflop = file.efforts.get(run_id) or (0, 0.0)
    return RunCost(images, pflop) if images else None


def latest_samples(runs: Path, folders: Mapping[str, Path]) -> list[TimingSample]:
    """What the latest of these runs tell about the time that runs take."""
    latest = sorted(folders, key=lambda i: -os.stat(folders[i]).st_mtime)[:FEW_EXAMPLES]
    states = (read_state(runs, run_id, folders[run_id]) for run_id in latest)
    return [example for state in states if (example := timing_sample(state))]
