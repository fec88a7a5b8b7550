"""A report that would come out as it is need not be made again: what it rests on, and what it said.

Nothing here imports pandas, so that an unchanged report is quick.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic_core import to_json

import cifar_exp
from cifar_exp.analysis.load.discover import UNFINISHED, ReportInputs
from cifar_exp.analysis.load.signature import inputs_signature
from cifar_exp.storage.atomic import write_whole
from cifar_exp.storage.lock import lock_holder
from cifar_exp.storage.reading import read_bytes

if TYPE_CHECKING:
    from cifar_exp.analysis.report import Report

NAME = ".report.json"
SOURCES = (".py", ".jinja", ".js", ".css")

Stamp = tuple[int, int] | None  # size and modification time; None where there is no file
Lock = tuple[str, str, bool]  # a folder of runs, the id of one that may go on, whether it is held


@dataclass(frozen=True)
class SavedReport:
    """What a report printed (`json`: with --json), and what has to be as it was for it to hold.

    `key`: of `report_key`. `files`: what it wrote and read, by path; `figures` likewise, or None
    if they were not drawn. `locks`: of the runs that may go on without any of their files changing.
    """

    key: str
    lines: Sequence[str]
    json: str
    files: Mapping[str, Stamp]
    figures: Mapping[str, Stamp] | None
    locks: Sequence[Lock]


def report_key(inputs: ReportInputs, options: Mapping[str, Any]) -> str:
    """A hash over the runs as they are now, how they are named, the options and the code."""
    basis = [cifar_exp.__version__, list(_sources()), os.getcwd(), inputs_signature(inputs)]
    named = [list(map(str, inputs.runs)), repr(inputs.sweeps), repr(inputs.skipped)]
    text = json.dumps([basis, named, sorted(options.items())], default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def save_report(report: "Report", key: str, lines: Sequence[str], answer: str = "") -> None:
    """Remember a report that has been written, and drawn as far as it will be, in its folder.

    `lines`: what it printed; `answer`: its JSON, where that may be asked for.
    """
    from cifar_exp.analysis.figures.base import KINDS
    from cifar_exp.analysis.figures.keys import is_drawn
    from cifar_exp.storage.predictions import NAME as PREDICTIONS

    folder = report.page.parent
    best = [run for group in report.figures for run in group.data.best_runs]
    predictions = [run.folder / PREDICTIONS for run in best]
    planned = [figure for group in report.figures for figure in group.planned if figure.key]
    figures = [figure.path(kind) for figure in planned for kind in KINDS]
    saved = SavedReport(
        key,
        lines,
        answer,
        files=_stamps([report.page, *sorted(folder.glob("*.csv")), *predictions]),
        figures=_stamps(figures) if all(map(is_drawn, planned)) else None,
        locks=report.unsettled,
    )
    with suppress(OSError):  # it only saves time
        write_whole(folder / NAME, lambda stream: stream.write(to_json(asdict(saved))))


def find_unchanged(report: Path, key: str, with_figures: bool) -> SavedReport | None:
    """The report in a folder, if it has this key and nothing that it rests on has changed.

    `with_figures`: whether its figures have to be there too.
    """
    try:
        saved = TypeAdapter(SavedReport).validate_json(read_bytes(report / NAME))
    except (OSError, ValueError):
        return None
    if saved.key != key or not _are_unchanged(saved.files):
        return None
    if with_figures and not (
        saved.figures is not None
        and _are_unchanged(saved.figures)
        and not (report / UNFINISHED).exists()
    ):
        return None
    is_held = [lock_holder(Path(runs), run_id) is not None for runs, run_id, _ in saved.locks]
    return saved if is_held == [was_held for *_, was_held in saved.locks] else None


def _stamps(paths: Iterable[Path]) -> dict[str, Stamp]:
    return {str(path): _stamp(path) for path in paths}


def _are_unchanged(files: Mapping[str, Stamp]) -> bool:
    return all(_stamp(path) == stamp for path, stamp in files.items())


def _stamp(path: str | Path) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _sources() -> Iterator[tuple[str, Stamp]]:
    """The program's own files: a copy that is worked on keeps its version."""
    for folder, _, names in os.walk(Path(cifar_exp.__file__).parent):
        for name in names:
            if name.endswith(SOURCES):
                path = os.path.join(folder, name)
                yield path, _stamp(path)
