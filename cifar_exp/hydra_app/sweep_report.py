"""A sweep's report at its end, if any of its runs has changed."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_exp.analysis.load.discover import PAGE, REPORT, ReportInputs, find_inputs
from cifar_exp.analysis.unchanged import find_unchanged, report_key, save_report
from cifar_exp.sweeps.monitor.ranking import Ranked, ranking_lines, run_lines
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.sweep import OnEnd, print_results
from cifar_exp.terminal import PrintLine
from cifar_exp.text import counted

if TYPE_CHECKING:
    from cifar_exp.analysis.report import Report

SUMMARY = "summary.csv"  # the report's table of configurations, in the order of their ranks


def end_of(plan: Plan) -> OnEnd:
    """What a sweep does at its end: `report_changes`, or with report=false a plain ranking."""
    return report_changes if plan.settings.report else print_results


def report_changes(reader: SnapshotReader, print_line: PrintLine) -> None:
    """Write the report again, unless it would come out as it is; print its ranking and answer.

    The ranking is the report's, so that nothing else can name another winner. The runs are what
    counts: a report that cannot be made is mentioned, and changes nothing else.
    """
    sweep = reader.folder.path
    try:
        inputs = find_inputs([sweep])
        key = report_key(inputs, {"at": "the end of a sweep"})
        unchanged = find_unchanged(sweep / REPORT, key, with_figures=True)
        report = None if unchanged else _make(inputs, print_line)
    except Exception as error:
        print_results(reader, print_line)
        _print_failure(sweep, error, print_line)
        return
    try:
        _print_ranking(reader, sweep / REPORT, print_line)
        page = f"report   {sweep / REPORT / PAGE}"
        if unchanged is not None:
            _print_answer(unchanged.lines, print_line)
            print_line(f"{page} (no run has changed since)")
        elif report is not None:
            lines = _answer_of(report)
            _print_answer(lines, print_line)
            print_line(page)
            _draw(report, print_line)
            save_report(report, key, lines)
    except Exception as error:
        _print_failure(sweep, error, print_line)


# The modules that compute and draw take a second to import.


def _make(inputs: ReportInputs, print_line: PrintLine) -> "Report":
    from cifar_exp.analysis.report import ReportOptions, make_report
    from cifar_exp.analysis.statistics.metric import METRICS

    print_line(f"report   on {counted(len(inputs.runs), 'run')} ...")
    return make_report(inputs, ReportOptions(METRICS["val_accuracy"]), lambda _line: None)


def _answer_of(report: "Report") -> list[str]:
    from cifar_exp.analysis.findings.collect import answer_lines

    return list(answer_lines(report.all_statistics))


def _draw(report: "Report", print_line: PrintLine) -> None:
    from cifar_exp.analysis.figures.process import draw_figures

    draw_figures(report.page.parent, report.figures, print_line)


def _print_answer(lines: Sequence[str], print_line: PrintLine) -> None:
    for number, line in enumerate(lines):
        print_line(line, is_bold=number == 0)


def _print_failure(sweep: Path, error: Exception, print_line: PrintLine) -> None:
    print_line(f"error    the report failed ({type(error).__name__}: {error}); all runs are safe:")
    print_line(f"         python -m cifar_exp.report {sweep} tries again")


def _print_ranking(reader: SnapshotReader, report: Path, print_line: PrintLine) -> None:
    """The report's ranking, by comparison group; that of the runs where it counts none of them."""
    groups = read_ranking(report / SUMMARY)
    if not groups:
        print_results(reader, print_line)
        return
    for title, configurations in groups.items():
        if len(groups) > 1:
            print_line(title)
        for line in ranking_lines(configurations, report / SUMMARY):
            print_line(line)
    for line in run_lines(reader.take(), reader.folder.path / "runs.csv"):
        print_line(line)


def read_ranking(summary: Path) -> dict[str, list[Ranked]]:
    """By comparison group, the configurations of a report's summary.csv that have a mean."""
    groups: dict[str, list[Ranked]] = {}
    with summary.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["mean"]:
                groups.setdefault(row["group"], []).append(_ranked(row))
    return groups


def _ranked(row: Mapping[str, str]) -> Ranked:
    columns = list(row)
    settings = columns[columns.index("configuration") + 1 : columns.index("n")]
    low, high, test = (
        float(row[key]) if row[key] else None for key in ("ci_low", "ci_high", "test_mean")
    )
    failed = int(row["failed"]) + int(row["diverged"])
    values = {key: row[key] for key in settings}
    return Ranked(
        values, int(row["n"]), float(row["mean"]), low=low, high=high, test=test, failed=failed
    )
