"""The files of a sweep: sweep.yaml, what was requested, and runs.csv, its runs in grid order."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from cifar_exp.storage.atomic import FileVersion, file_version, write_csv, write_text
from cifar_exp.storage.lock import lock_file
from cifar_exp.storage.reading import UnreadableError, read_text, read_yaml
from cifar_exp.storage.record import now
from cifar_exp.storage.run_folder import to_yaml
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.selection import Selection
from cifar_exp.text import value_as_text

COLUMNS = ("run_id", "folder", "status")


@dataclass(frozen=True)
class SweepRow:
    """A line of runs.csv: a run of the sweep with its swept values, as text."""

    run_id: str
    folder: str
    status: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class SweepEntry:
    """What one command adds to a sweep.

    `values`: by run id, the swept values, in grid order. `costs`: by run id, images and PFLOP.
    `confirms`: all that it and earlier commands selected, if it confirms another sweep. `search`:
    the sampler with its words and the space, if values are proposed; then `keys` are swept.
    """

    name: str
    command: str
    fixed: Mapping[str, Any]
    values: Mapping[str, Mapping[str, Any]]
    costs: Mapping[str, tuple[float, float]]
    confirms: Selection | None = None
    keys: Sequence[str] = ()
    search: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SweepFile:
    """sweep.yaml.

    `parameters`: the swept keys with the values of all commands. `fixed`: what else was set.
    `efforts`: by run id, images and PFLOP that were expected. `confirms`: only in the file of a
    sweep that confirms another. `search`: only in that of a search; what the last command said.
    """

    name: str
    parameters: dict[str, list[Any]] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    commands: list[dict[str, str]] = field(default_factory=list)
    efforts: dict[str, list[float]] = field(default_factory=dict)
    confirms: Selection | None = None
    search: dict[str, Any] | None = None


class SweepFolder:
    """`outputs/sweeps/<name>`."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.resolve().name
        runs = path.resolve().parent.parent / "runs"
        self.runs_folder = runs if path.is_absolute() else Path(os.path.relpath(runs))
        self._read: tuple[FileVersion | None, list[SweepRow]] = (None, [])

    def enter(self, entry: SweepEntry) -> None:
        """Add a command, with its values and runs, to those of earlier commands."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            merged = _merged(self.read_file(), entry)
            write_text(self.path / "sweep.yaml", to_yaml(_content(merged)))
            known = {row.run_id: row for row in self.rows()}
            for run_id, swept in entry.values.items():
                values = {key: value_as_text(value) for key, value in swept.items()}
                row = known.get(run_id) or SweepRow(run_id, "", "pending", {})
                known[run_id] = replace(row, values={**row.values, **values})
            rows = list(known.values())
            if merged.search is None:  # the lines of a search are in the order of its proposals
                rows = _in_grid_order(rows, merged.parameters)
            if rows != self.rows():  # an unchanged file keeps its time, so the report stays valid
                self._write(rows)

    def extend(
        self, propose: Callable[[Sequence[SweepRow]], Mapping[str, Mapping[str, Any]]]
    ) -> None:
        """Append the runs, by id with their values, that `propose` makes of the lines of runs.csv.

        No other process changes them meanwhile; a run that is listed already is left as it is.
        """
        with self._locked():
            rows = self.rows()
            known = {row.run_id for row in rows}
            new = [
                SweepRow(run_id, "", "pending", {k: value_as_text(v) for k, v in each.items()})
                for run_id, each in propose(rows).items()
                if run_id not in known
            ]
            if new:
                self._write([*rows, *new])

    def refresh(self, states: Mapping[str, RunState]) -> None:
        """Write the current status and folder of each run into runs.csv."""
        with self._locked():
            rows = self.rows()
            updated = [self._updated(row, states.get(row.run_id)) for row in rows]
            if updated != rows:
                self._write(updated)

    def read_file(self) -> SweepFile:
        """sweep.yaml, or an empty one where it is missing or damaged."""
        try:
            return self.load_file()
        except UnreadableError:
            return SweepFile(self.name)

    def load_file(self) -> SweepFile:
        """sweep.yaml. Raises UnreadableError with the reason if it cannot be used."""
        try:
            content = read_yaml(self.path / "sweep.yaml")
            return TypeAdapter(SweepFile).validate_python(content)
        except FileNotFoundError as error:
            raise UnreadableError("there is no sweep.yaml") from error
        except (ValueError, RecursionError) as error:
            raise UnreadableError("sweep.yaml does not describe a sweep") from error

    def rows(self) -> list[SweepRow]:
        """The lines of runs.csv; none where it is missing or damaged. Read when it has changed."""
        version = file_version(self.path / "runs.csv")
        if version is None or version != self._read[0]:
            try:
                self._read = (version, self.load_rows())
            except UnreadableError:
                return []
        return list(self._read[1])

    def load_rows(self) -> list[SweepRow]:
        """The lines of runs.csv. Raises UnreadableError with the reason if it cannot be used."""
        try:
            text = read_text(self.path / "runs.csv")
            return [_row(line) for line in csv.DictReader(io.StringIO(text, newline=""))]
        except FileNotFoundError as error:
            raise UnreadableError("there is no runs.csv") from error
        except (ValueError, KeyError, csv.Error) as error:
            raise UnreadableError("runs.csv is not a table of runs") from error

    def _updated(self, row: SweepRow, state: RunState | None) -> SweepRow:
        if state is None:
            return row
        folder = "" if state.folder is None else os.path.relpath(state.folder, self.path)
        return SweepRow(row.run_id, folder, state.status, row.values)

    def _write(self, rows: Sequence[SweepRow]) -> None:
        keys = list(dict.fromkeys(key for row in rows for key in row.values))
        lines = [
            {"run_id": r.run_id, "folder": r.folder, "status": r.status, **r.values} for r in rows
        ]
        write_csv(self.path / "runs.csv", [*COLUMNS, *keys], lines)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # two processes may work on one sweep: each reads, changes and writes under the lock
        path = self.path.resolve().parent / ".locks" / self.name
        with lock_file(path, f"sweep {self.name}"):
            yield


def _row(line: Mapping[str | None, str | None]) -> SweepRow:
    """Drops extra cells. Raises ValueError or KeyError if the line does not describe a run."""
    cells = {key: cell or "" for key, cell in line.items() if key is not None}
    if not cells["run_id"]:
        raise ValueError("a line without a run_id")
    values = {key: cell for key, cell in cells.items() if key not in COLUMNS}
    return SweepRow(cells["run_id"], cells["folder"], cells["status"], values)


def _merged(before: SweepFile, entry: SweepEntry) -> SweepFile:
    parameters = {key: list(values) for key, values in before.parameters.items()}
    if entry.search is not None:  # its values are in runs.csv
        parameters = {key: [] for key in (*parameters, *entry.keys)}
    for values in entry.values.values():
        for key, value in values.items():
            listed = parameters.setdefault(key, [])
            if value_as_text(value) not in map(value_as_text, listed):
                listed.append(value)
    return SweepFile(
        name=entry.name,
        parameters=parameters,
        fixed=dict(entry.fixed),
        commands=[*before.commands, {"command": entry.command, "at": now()}],
        efforts={**before.efforts, **{run_id: list(cost) for run_id, cost in entry.costs.items()}},
        confirms=entry.confirms or before.confirms,
        search=dict(entry.search) if entry.search else before.search,
    )


def _content(file: SweepFile) -> dict[str, Any]:
    content = asdict(file)
    optional = ("confirms", "search")
    return {key: value for key, value in content.items() if key not in optional or value}


def _in_grid_order(
    rows: Iterable[SweepRow], parameters: Mapping[str, Sequence[Any]]
) -> list[SweepRow]:
    places = {
        key: {value_as_text(value): place for place, value in enumerate(values)}
        for key, values in parameters.items()
    }
    keys = sorted(places, key=lambda key: key != "seed")  # seeds outermost
    return sorted(
        rows, key=lambda row: [places[key].get(row.values.get(key, ""), -1) for key in keys]
    )
