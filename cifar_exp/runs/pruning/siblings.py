"""The val accuracies of a sweep's runs by epoch, from their files.

A file is read again only if it has changed, and not even looked at once it has the wanted epoch: a
thousand lookups take 2 ms, and reading as many files 200 ms.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from cifar_exp.storage.atomic import FileVersion, file_version, mtime_ns
from cifar_exp.storage.metrics import read_val_accuracies
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import run_folders
from cifar_exp.storage.sweep_folder import SweepFolder, SweepRow

EPOCHS = "trainer.epochs"
RECIPES = ("experiment", "trainer")  # options that may set the number of epochs
SETTLED_NS = 2_000_000_000  # a folder may change twice in one tick of the file system's clock


def first_seeds(rows: Iterable[SweepRow]) -> dict[str, str]:
    """By run id, the run of the same configuration whose seed was listed first."""
    first: dict[tuple[tuple[str, str], ...], str] = {}
    return {row.run_id: first.setdefault(_configuration(row), row.run_id) for row in rows}


def _configuration(row: SweepRow) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in row.values.items() if value and key != "seed")


class SweepSiblings:
    """The runs that the sweep's runs.csv lists now. Implements `Siblings` of base.py."""

    def __init__(self, folder: Path) -> None:
        self._sweep = SweepFolder(folder)
        self._table = folder / "runs.csv"
        self._read: FileVersion | None = None
        self._first: Mapping[str, str] = {}
        self._rows: Mapping[str, SweepRow] = {}  # of the first seeds, by run id
        self._folders = _Folders(self._sweep.runs_folder)
        self._curves: dict[str, _Curve] = {}

    def first_seed(self, run_id: str) -> str | None:
        """As `Siblings.first_seed`."""
        self._read_table()
        return self._first.get(run_id)

    def at(self, run_id: str, epoch: int, *, is_best: bool) -> dict[str, float]:
        """As `Siblings.at`."""
        self._read_table()
        rows = self._rows
        self._find_curves(rows)
        if run_id not in rows or not self._reached(run_id, epoch):
            return {}
        epochs = self._epochs(run_id)
        reached = {each: curve for each in rows if (curve := self._reached(each, epoch))}
        return {
            each: max(curve[:epoch]) if is_best else curve[epoch - 1]
            for each, curve in reached.items()
            if self._epochs(each) == epochs
        }

    def _read_table(self) -> None:
        now = file_version(self._table)
        if now != self._read:
            rows = self._sweep.rows()
            self._first = first_seeds(rows)
            self._rows = {row.run_id: row for row in rows if self._first[row.run_id] == row.run_id}
            self._read = now

    def _find_curves(self, run_ids: Iterable[str]) -> None:
        missing = [run_id for run_id in run_ids if run_id not in self._curves]
        folders = self._folders.find() if missing else {}
        self._curves.update({i: _Curve(folders[i]) for i in missing if i in folders})

    def _reached(self, run_id: str, epoch: int) -> Sequence[float] | None:
        curve = self._curves.get(run_id)
        return None if curve is None else curve.reached(epoch)

    def _epochs(self, run_id: str) -> int | str | None:
        """The epochs that a run is trained for; None where that is the same for all."""
        values = self._rows[run_id].values
        if values.get(EPOCHS):
            return values[EPOCHS]
        return self._curves[run_id].epochs if any(map(values.get, RECIPES)) else None


@lru_cache(maxsize=4)  # a worker trains many runs of one sweep
def siblings_of(outputs: Path, sweep: str) -> SweepSiblings:
    """The runs of a sweep by its name, with all that this process has read of them."""
    return SweepSiblings(outputs / "sweeps" / sweep)


class _Curve:
    """The accuracies in a run's metrics.csv, from epoch 1 on."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, os.fspath(folder / "metrics.csv")
        self._read: FileVersion | None = None
        self._accuracies: Sequence[float] = ()
        self._epochs: int | None = None

    def reached(self, epoch: int) -> Sequence[float] | None:
        """All that is known, if that includes `epoch`."""
        if len(self._accuracies) < epoch:
            now = file_version(self._path)
            if now != self._read:
                self._accuracies = read_val_accuracies(self._folder)
                self._read = now
        return self._accuracies if len(self._accuracies) >= epoch else None

    @property
    def epochs(self) -> int | None:
        """The number of epochs that were set."""
        if self._epochs is None:
            record = RunRecord.load(self._folder)
            self._epochs = record.params.get(EPOCHS) if record is not None else None
        return self._epochs


class _Folders:
    """The folders of runs by id, listed anew when the folder that holds them has changed."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._read = 0
        self._found: Mapping[str, Path] = {}

    def find(self) -> Mapping[str, Path]:
        """The folders that there are now."""
        now = mtime_ns(self._runs)
        if now != self._read or time.time_ns() - now < SETTLED_NS:
            self._found = run_folders(self._runs)
            self._read = now
        return self._found
