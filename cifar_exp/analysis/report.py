"""A report: from paths to tables, figures and the page."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cifar_exp.analysis.load.discover import PAGE, ReportInputs, Skipped, output_problem
from cifar_exp.analysis.load.frames import run_frame, settings_columns
from cifar_exp.analysis.load.runs import LoadedRuns, load
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.groups import divide
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.storage.atomic import is_disk_full

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """Where the page is, what it is about, and what it says nothing about."""

    page: Path
    studies: Sequence[GroupStatistics]
    left_out: Sequence[Skipped]


def make_report(
    places: ReportInputs, output: Path | None, metric: Metric, baseline: str | None, tell: Tell
) -> Report:
    """Write tables, figures and page; `tell` hears a line for each stage.

    Raises UserError where the output or the baseline is wrong, before anything is written,
    EnvironmentFailure where the disk is full or refuses.
    """
    folder = places.output if output is None else output
    mistake = output_problem(folder)
    if mistake:
        raise UserError(f"--output={folder}: {mistake}")
    try:
        return _written(places, folder, metric, baseline, tell)
    except OSError as error:
        what = "there is no space left on its disk" if is_disk_full(error) else str(error)
        raise EnvironmentFailure(
            f"the report could not be written to {folder}: {what}; the runs are as they were"
        ) from error


def _written(
    places: ReportInputs,
    folder: Path,
    metric: Metric,
    baseline: str | None,
    tell: Tell,
) -> Report:
    began = time.time_ns()
    loaded = load(places, folder)
    runs = run_frame(loaded)
    tell(f"runs     {len(runs)}")
    studies = _studies(runs, loaded, places, metric, baseline)
    # what takes a second or more to import is not needed to say that a path is wrong
    from cifar_exp.analysis.page.csv_files import write_tables
    from cifar_exp.analysis.page.methods import doubles

    folder.mkdir(parents=True, exist_ok=True)
    loaded.keep(folder)
    write_tables(folder, runs, loaded.history, studies)
    left_out = [*loaded.left_out, *(double for study in studies for double in doubles(study))]
    tell(f"tables   {folder / 'runs.csv'}, history.csv, summary.csv and more")
    asked = ", ".join(str(path) for path in places.asked)
    _write_page(folder, studies, loaded, left_out, asked, tell)
    os.utime(folder / PAGE, ns=(began, began))  # what changed since is not in it
    return Report(folder / PAGE, studies, left_out)


def _studies(
    runs: pd.DataFrame,
    loaded: LoadedRuns,
    places: ReportInputs,
    metric: Metric,
    baseline: str | None,
) -> list[GroupStatistics]:
    """Raises UserError where the baseline was found in none of the sections."""
    sections = divide(runs, places.sweeps)
    columns = settings_columns(runs)
    mistakes: list[str] = []
    studies = []
    for section in sections:
        try:
            study = GroupStatistics(section, metric, runs, loaded.history, columns, baseline)
        except UserError as error:
            mistakes += error.messages
            study = GroupStatistics(section, metric, runs, loaded.history, columns)
        studies.append(study)
    if baseline is not None and not any(study.baseline for study in studies):
        missing = f"--baseline={baseline!r}: no completed run is like that"
        raise UserError(list(dict.fromkeys(mistakes)) or missing)
    return studies


def _write_page(
    folder: Path,
    studies: Sequence[GroupStatistics],
    loaded: LoadedRuns,
    left_out: Sequence[Skipped],
    asked: str,
    tell: Tell,
) -> None:
    from cifar_exp.analysis.figures.registry import draw_all
    from cifar_exp.analysis.page.context import section_content
    from cifar_exp.analysis.page.render import write_page

    contents = []
    for study in studies:
        tell(f"figures  {study.section.title}")
        best = loaded.runs.get(study.best_run or "")
        drawn = draw_all(study, best, folder / "figures" / study.section.slug)
        contents.append(section_content(study, drawn, loaded))
    title = studies[0].section.title if len(studies) == 1 else "Report"
    write_page(folder / PAGE, title, f"Report on {asked}", contents, left_out)
