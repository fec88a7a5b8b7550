"""Find the runs and sweeps that the paths of a command refer to."""

import hashlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cifar_exp.analysis.load.confirmation import ConfirmationInput, find_confirmation
from cifar_exp.analysis.load.search import SearchInput, read_search
from cifar_exp.analysis.load.signature import run_signature
from cifar_exp.errors import UserError
from cifar_exp.storage.layout import (
    Place,
    find_place,
    is_folder,
    real_path,
    real_paths,
    sweep_folders,
)
from cifar_exp.storage.reading import UnreadableError
from cifar_exp.storage.run_state import run_folders
from cifar_exp.storage.sweep_folder import SweepFile, SweepFolder, SweepRow

REPORT, PAGE = "report", "index.html"
UNFINISHED = "figures/.unfinished"  # in a report's folder, until its figures are drawn
OURS_BESIDE_RUNS = re.compile(r".*\.(rerun|replaced)")  # a rerun under way, and what it replaces
ALLOWED = "give an outputs folder, sweep folders or run folders"


@dataclass(frozen=True)
class Skipped:
    """Something that the report leaves out, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class SweepInput:
    """A sweep as its own files describe it.

    `run_ids` are in grid order; `pending` are those without a folder yet; `commands` is what users
    typed, without repeats. `confirmation`: if it confirms another sweep, or another confirms it.
    `search`: if its runs were proposed by a sampler.
    """

    name: str
    folder: Path
    run_ids: tuple[str, ...]
    commands: tuple[str, ...]
    pending: tuple[str, ...]
    confirmation: ConfirmationInput | None = None
    search: SearchInput | None = None

    @property
    def sampler(self) -> str | None:
        """The sampler that proposed its runs; None if it is no search."""
        return None if self.search is None else self.search.sampler


@dataclass(frozen=True)
class ReportInputs:
    """Everything a report covers: run folders, each once, and the sweeps they belong to.

    `real_runs`: the real path of each of `runs`.
    """

    runs: tuple[Path, ...]
    real_runs: tuple[str, ...]
    sweeps: tuple[SweepInput, ...]
    skipped: tuple[Skipped, ...]
    paths: tuple[Path, ...]  # as given
    output: Path  # where the report goes by default

    @cached_property
    def signatures(self) -> tuple[list[int], ...]:
        """The signature of each of `runs`, as it was when first read."""
        return tuple(map(run_signature, self.real_runs))


def find_inputs(paths: Sequence[Path]) -> ReportInputs:
    """The runs and sweeps of outputs folders, sweep folders and run folders, in any mixture.

    Raises UserError, with a sentence for each path that is none of these or contains no runs.
    """
    discovery = _Discovery()
    mistakes = [mistake for path in paths if (mistake := discovery.add(path))]
    if mistakes:
        raise UserError(mistakes)
    runs, sweeps = tuple(discovery.runs.values()), tuple(discovery.sweeps.values())
    skipped, output = tuple(discovery.skipped), _output(paths)
    return ReportInputs(runs, tuple(discovery.runs), sweeps, skipped, tuple(paths), output)


def output_problem(folder: Path) -> str | None:
    """Why a report must not be written to a folder: it would mix with runs or a sweep."""
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.stat(folder)
        real = real_path(folder)
        existing = next(path for path in (real, *real.parents) if path.exists())
    except OSError as error:
        return f"cannot be a folder: {error.strerror}"
    if not existing.is_dir():
        return "is not a folder" if existing == real else f"{existing} is not a folder"
    if any(path.name == "runs" for path in (real, real.parent)):
        return "is a place for runs; give another folder"
    ours = [name for name in ("sweep.yaml", "run.json", "runs", "sweeps") if (real / name).exists()]
    return (
        f"contains {ours[0]}, which a report must not mix with; give another folder"
        if ours
        else None
    )


class _Discovery:
    """What has been found so far, by real path: a folder given twice counts once."""

    def __init__(self) -> None:
        self.runs: dict[str, Path] = {}
        self.sweeps: dict[Path, SweepInput] = {}
        self.skipped: list[Skipped] = []
        self.listed: dict[Path, tuple[dict[str, Path], list[Path]]] = {}  # by folder of runs

    def add(self, path: Path) -> str | None:
        """Add what `path` refers to; return what is wrong with it."""
        if not is_folder(path):
            return f"{path}: is not a folder; {ALLOWED}"
        place = find_place(path)
        if place is None:
            return f"{path}: contains no runs; {ALLOWED}"
        if place.kind == "run":
            self._add_runs([path])
        elif place.kind == "sweep":
            self._add_sweep(path)
        else:
            return self._add_outputs(place)
        return None

    def _add_outputs(self, place: Place) -> str | None:
        sweeps = sweep_folders(place.outputs) if place.kind != "runs" else []
        if place.kind != "sweeps":
            folders, foreign = self._runs_in(place.outputs / "runs")
            if not folders and not foreign:
                return f"{place.path}: contains no runs yet; {ALLOWED}"
            self.skipped += [Skipped(str(p), "is not named like a run's folder") for p in foreign]
            self._add_runs(folders.values())
        elif not sweeps:
            return f"{place.path}: contains no sweeps yet; {ALLOWED}"
        for folder in sweeps:
            self._add_sweep(folder)
        return None

    def _add_sweep(self, folder: Path) -> None:
        real, sweep = real_path(folder), SweepFolder(folder)
        if real in self.sweeps:
            return
        try:
            rows = sweep.load_rows()
        except UnreadableError as error:
            self.skipped.append(Skipped(str(folder), str(error)))
            return
        found, _ = self._runs_in(_shortest(sweep.runs_folder))
        folders = {row.run_id: _run_folder(folder, row, found) for row in rows}
        self._add_runs([path for path in folders.values() if path is not None])
        pending = tuple(run_id for run_id, path in folders.items() if path is None)
        file = self._file(sweep)
        commands = tuple(dict.fromkeys(e["command"] for e in file.commands if "command" in e))
        confirmation = find_confirmation(sweep.path, file, found)
        search = read_search(file.search)
        self.sweeps[real] = SweepInput(
            real.name, folder, tuple(folders), commands, pending, confirmation, search
        )

    def _file(self, sweep: SweepFolder) -> SweepFile:
        try:
            return sweep.load_file()
        except UnreadableError as error:
            self.skipped.append(Skipped(f"the commands of {sweep.path}", str(error)))
            return SweepFile(sweep.name)

    def _add_runs(self, folders: Collection[Path]) -> None:
        for real, folder in zip(real_paths(folders), folders, strict=True):
            self.runs.setdefault(real, folder)

    def _runs_in(self, runs: Path) -> tuple[dict[str, Path], list[Path]]:
        if runs not in self.listed:
            self.listed[runs] = _list_runs(runs)  # once, because many sweeps share a folder of runs
        return self.listed[runs]


def _list_runs(runs: Path) -> tuple[dict[str, Path], list[Path]]:
    """Run folders by id, and other folders among them."""
    folders = run_folders(runs)
    known = {path.name for path in folders.values()}
    others: list[Path] = []
    with suppress(OSError):
        for name in sorted(os.listdir(runs)):
            is_ours = name.startswith(".") or name in known or OURS_BESIDE_RUNS.fullmatch(name)
            if not is_ours and (runs / name).is_dir():
                others.append(runs / name)
    return folders, others


def _run_folder(sweep: Path, row: SweepRow, found: Mapping[str, Path]) -> Path | None:
    """The folder of a sweep's run: by its id, or else where runs.csv says."""
    folder = found.get(row.run_id)
    if folder is not None and not folder.is_symlink():
        return folder if is_folder(folder) else None
    elsewhere = folder or (sweep / row.folder if row.folder else None)
    return _shortest(elsewhere) if elsewhere is not None and is_folder(elsewhere) else None


def _shortest(path: Path) -> Path:
    """A path below the working directory is made relative, as a user would type it."""
    real, here = real_path(path), Path.cwd()
    return real.relative_to(here) if real.is_relative_to(here) else real


def _output(paths: Sequence[Path]) -> Path:
    """`report/` in an outputs or sweep folder; for anything else, a folder in `reports/`."""
    first, real = paths[0], real_path(paths[0])
    place = find_place(first)
    if place is not None and len(paths) == 1 and place.kind in ("outputs", "sweep"):
        return first / REPORT
    if real.name == "runs":
        return _shortest(real.parent) / REPORT
    outputs = real.parent.parent if real.parent.name in ("runs", "sweeps") else real.parent
    more = ""
    if len(paths) > 1:
        names = "\n".join(str(real_path(path)) for path in paths)
        more = f"-and-{len(paths) - 1}-more-{hashlib.sha256(names.encode()).hexdigest()[:6]}"
    return _shortest(outputs) / "reports" / f"{real.name}{more}"
