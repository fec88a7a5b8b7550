"""A report: from paths to tables and the page; its figures are drawn afterwards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cifar_exp.analysis.load.discover import PAGE, ReportInputs, Skipped, output_problem
from cifar_exp.analysis.load.frames import run_frame, settings_columns
from cifar_exp.analysis.load.runs import LoadedRuns, load_runs
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.groups import ComparisonGroup, group_runs
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.progress import all_progress
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.storage.atomic import is_disk_full

if TYPE_CHECKING:
    from cifar_exp.analysis.figures.base import GroupFigures

PrintLine = Callable[[str], None]


@dataclass(frozen=True)
class ReportOptions:
    """How a report is made. `output`: its folder, by default beside the runs. `baseline`: the
    configuration to compare with, by default the best. `worth`: the smallest difference that
    matters, in the unit that the metric is shown in.
    """

    metric: Metric
    output: Path | None = None
    baseline: str | None = None
    worth: float | None = None


@dataclass(frozen=True)
class Report:
    """A report that has been written: its page, its statistics by group, and what it leaves out.

    `figures`: what `draw_figures` is to draw, for each group. `unsettled`: as in `LoadedRuns`.
    """

    page: Path
    all_statistics: Sequence[GroupStatistics]
    skipped: Sequence[Skipped]
    figures: "Sequence[GroupFigures]"
    unsettled: Sequence[tuple[str, str, bool]]


def make_report(inputs: ReportInputs, options: ReportOptions, print_line: PrintLine) -> Report:
    """Write tables and page; `print_line` gets a line for each stage.

    Raises UserError if the output or the baseline is wrong, before anything is written, and
    EnvironmentFailure if the disk is full or a file cannot be written.
    """
    folder = inputs.output if options.output is None else options.output
    problem = output_problem(folder)
    if problem:
        raise UserError(f"--output={folder}: {problem}")
    try:
        return _write_report(inputs, folder, options, print_line)
    except OSError as error:
        what = "there is no space left on its disk" if is_disk_full(error) else str(error)
        raise EnvironmentFailure(
            f"the report could not be written to {folder}: {what}; the runs are unchanged"
        ) from error


def _write_report(
    inputs: ReportInputs, folder: Path, options: ReportOptions, print_line: PrintLine
) -> Report:
    loaded = load_runs(inputs, folder)
    runs = run_frame(loaded)
    print_line(f"runs     {len(runs)}")
    all_statistics = _all_statistics(runs, loaded, inputs, options)
    # imported only when the arguments are known to be right, because it takes a second or more
    from cifar_exp.analysis.page.context import group_context
    from cifar_exp.analysis.page.csv_files import write_tables
    from cifar_exp.analysis.page.methods import superseded_runs
    from cifar_exp.analysis.page.render import Heading, write_page

    folder.mkdir(parents=True, exist_ok=True)
    loaded.save_cache(folder)
    write_tables(folder, runs, loaded.history, all_statistics)
    print_line(f"tables   {folder / 'runs.csv'}, history.csv, summary.csv and more")
    figures = [_planned_figures(each, all_statistics, loaded, folder) for each in all_statistics]
    contexts = [group_context(planned, loaded) for planned in figures]
    title = all_statistics[0].group.title if len(all_statistics) == 1 else "Report"
    paths = ", ".join(str(path) for path in inputs.paths)
    skipped = [*loaded.skipped, *(run for each in all_statistics for run in superseded_runs(each))]
    write_page(folder / PAGE, Heading(title, f"Report on {paths}"), contexts, skipped)
    return Report(folder / PAGE, all_statistics, skipped, figures, loaded.unsettled)


def _all_statistics(
    runs: pd.DataFrame, loaded: LoadedRuns, inputs: ReportInputs, options: ReportOptions
) -> list[GroupStatistics]:
    """Raises UserError if no group has the baseline."""
    columns = settings_columns(runs)

    def compute(group: ComparisonGroup, baseline: str | None) -> GroupStatistics:
        shared = (options.metric, runs, loaded.history, columns)
        return GroupStatistics(group, *shared, baseline, options.worth)

    mistakes: dict[str, list[str]] = {}
    all_statistics = []
    for group in group_runs(runs, inputs.sweeps):
        try:
            statistics = compute(group, options.baseline)
        except UserError as error:
            mistakes[group.title] = error.messages
            statistics = compute(group, None)
        all_statistics.append(statistics)
    if options.baseline is not None and not any(each.baseline for each in all_statistics):
        raise UserError(_baseline_mistakes(options.baseline, mistakes, len(all_statistics)))
    return all_statistics


def _baseline_mistakes(
    baseline: str, mistakes: Mapping[str, Sequence[str]], groups: int
) -> list[str]:
    """Why no group has the baseline: `mistakes` by group, unless a group could read it."""
    option = f"--baseline={baseline!r}: "
    if len(mistakes) < groups or not groups:
        return [f"{option}no completed run matches"]
    if groups == 1:
        return [message for messages in mistakes.values() for message in messages]
    return [
        f"{option}in group {title!r}, {message.removeprefix(option)}"
        for title, messages in mistakes.items()
        for message in messages
    ]


def _planned_figures(
    statistics: GroupStatistics,
    all_statistics: Sequence[GroupStatistics],
    loaded: LoadedRuns,
    folder: Path,
) -> "GroupFigures":
    """What the figures of a group will show; they are drawn when the page is already there."""
    from cifar_exp.analysis.figures.base import FigureData
    from cifar_exp.analysis.figures.catalog import plan_figures

    best = statistics.counted["configuration"] == statistics.best
    runs = [loaded.runs[str(run_id)] for run_id in statistics.counted.index[best]]
    return plan_figures(
        FigureData(statistics, runs, all_progress(statistics, all_statistics)), folder
    )
