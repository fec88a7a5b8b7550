"""Which runs and sweeps a command's paths stand for."""

import csv
import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cifar_exp.errors import UserError
from cifar_exp.storage.run_state import run_folders

REPORT, PAGE = "report", "index.html"
OURS_BESIDE_RUNS = re.compile(r".*\.(rerun|replaced)")  # a rerun under way, what it replaced


@dataclass(frozen=True)
class Skipped:
    """Something that the report says nothing about, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class SweepInput:
    """A sweep's own files: the ids of its runs in grid order, and the commands that asked."""

    name: str
    folder: Path
    run_ids: tuple[str, ...]
    commands: tuple[str, ...]
    unstarted: tuple[str, ...]  # ids that have no folder yet


@dataclass(frozen=True)
class ReportInputs:
    """All that was asked to be reported: run folders, each once, and the sweeps among them."""

    runs: tuple[Path, ...]
    sweeps: tuple[SweepInput, ...]
    left_out: tuple[Skipped, ...]
    asked: tuple[Path, ...]
    output: Path  # where the report goes unless told otherwise


def find_inputs(paths: Sequence[Path]) -> ReportInputs:
    """The runs of outputs folders, sweep folders and run folders, in any mixture.

    Raises UserError, a sentence a path, where a path is none of them or holds no run.
    """
    found = _Found()
    mistakes = [mistake for path in paths if (mistake := found.add(path))]
    if mistakes:
        raise UserError(mistakes)
    runs, sweeps = tuple(found.runs.values()), tuple(found.sweeps)
    return ReportInputs(runs, sweeps, tuple(found.left_out), tuple(paths), _output(paths))


def output_problem(folder: Path) -> str | None:
    """Why a report must not be written there: runs and sweeps have files of the same names."""
    try:
        real = folder.resolve()
        existing = next(path for path in (real, *real.parents) if path.exists())
    except OSError as error:
        return f"is no path for a folder: {error.strerror}"
    if not existing.is_dir():
        return "is there, and no folder" if existing == real else f"{existing} is no folder"
    if any(path.name == "runs" for path in (real, real.parent)):
        return "is a run's place; give a folder of its own"
    ours = [name for name in ("sweep.yaml", "run.json", "runs", "sweeps") if (real / name).exists()]
    return f"holds {ours[0]}, and a report must not mix with that; give another" if ours else None


class _Found:
    """What has been found so far; a folder given twice counts once."""

    def __init__(self) -> None:
        self.runs: dict[Path, Path] = {}
        self.sweeps: list[SweepInput] = []
        self.left_out: list[Skipped] = []

    def add(self, path: Path) -> str | None:
        """Take in what `path` stands for; returns what is wrong with it."""
        if not _is_folder(path):
            return f"{path}: is no folder; {_ALLOWED}"
        if (path / "runs.csv").is_file() and (path / "sweep.yaml").exists():
            self._add_sweep(path)
            return None
        if (path / "run.json").exists() or path.resolve().parent.name == "runs":
            self._add_runs([path])
            return None
        outputs = path.resolve().parent if path.resolve().name == "runs" else path
        if (outputs / "runs").is_dir():
            return self._add_outputs(outputs, path)
        return f"{path}: holds no run; {_ALLOWED}"

    def _add_outputs(self, outputs: Path, path: Path) -> str | None:
        folders, foreign = _runs_in(outputs / "runs")
        if not folders and not foreign:
            return f"{path}: holds no run yet; {_ALLOWED}"
        self.left_out += [Skipped(str(p), "is not named like a run's folder") for p in foreign]
        self._add_runs(folders.values())
        if outputs == path:
            for file in sorted(outputs.glob("sweeps/*/runs.csv")):
                self._add_sweep(file.parent)
        return None

    def _add_sweep(self, folder: Path) -> None:
        if any(sweep.folder.resolve() == folder.resolve() for sweep in self.sweeps):
            return
        rows = _rows(folder / "runs.csv")
        if rows is None:
            self.left_out.append(Skipped(str(folder / "runs.csv"), "is no table of runs"))
            return
        folders, _ = _runs_in(folder.resolve().parents[1] / "runs")
        homes = {row["run_id"]: _home(folder, row, folders) for row in rows}
        self._add_runs(home for home in homes.values() if home is not None)
        missing = tuple(run_id for run_id, home in homes.items() if home is None)
        name = folder.resolve().name
        self.sweeps.append(SweepInput(name, folder, tuple(homes), _commands(folder), missing))

    def _add_runs(self, folders: Iterable[Path]) -> None:
        for folder in folders:
            self.runs.setdefault(folder.resolve(), folder)


_ALLOWED = "give an outputs folder, sweep folders or run folders"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long
        return False


def _runs_in(runs: Path) -> tuple[dict[str, Path], list[Path]]:
    """Run folders by id, and what else lies there."""
    folders = run_folders(runs)
    known = {path.name for path in folders.values()}
    others: list[Path] = []
    with suppress(OSError):
        for name in sorted(os.listdir(runs)):
            is_ours = name.startswith(".") or name in known or OURS_BESIDE_RUNS.fullmatch(name)
            if not is_ours and (runs / name).is_dir():
                others.append(runs / name)
    return folders, others


def _home(sweep: Path, row: Mapping[str, str], folders: Mapping[str, Path]) -> Path | None:
    written = sweep / row["folder"] if row.get("folder") else None
    home = folders.get(row["run_id"], written)
    return _shortest(home) if home is not None and home.is_dir() else None


def _shortest(path: Path) -> Path:
    """Relative to here where that is below here, as a user would type it."""
    real, here = path.resolve(), Path.cwd()
    return real.relative_to(here) if real.is_relative_to(here) else real


def _rows(path: Path) -> list[dict[str, str]] | None:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, ValueError, csv.Error):
        return None
    has_ids = all(row.get("run_id") for row in rows)
    return rows if has_ids else None


def _commands(folder: Path) -> tuple[str, ...]:
    """What was typed for the sweep, each once."""
    try:
        content: Any = yaml.safe_load((folder / "sweep.yaml").read_text(encoding="utf-8"))
        commands = [str(entry["command"]) for entry in content["commands"]]
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError):
        return ()
    return tuple(dict.fromkeys(commands))


def _output(paths: Sequence[Path]) -> Path:
    """`report` in an outputs or sweep folder; for runs, a folder of that name beside `runs`."""
    first = paths[0]
    if len(paths) == 1 and (first / "runs.csv").is_file():
        return first / REPORT
    if len(paths) == 1 and (first / "runs").is_dir():
        return first / REPORT
    real = first.resolve()
    if real.name == "runs":
        return _shortest(real.parent) / REPORT
    outputs = real.parent.parent if real.parent.name in ("runs", "sweeps") else real.parent
    more = ""
    if len(paths) > 1:
        names = "\n".join(str(path.resolve()) for path in paths)
        more = f"-and-{len(paths) - 1}-more-{hashlib.sha256(names.encode()).hexdigest()[:6]}"
    return _shortest(outputs) / "reports" / f"{real.name}{more}"
