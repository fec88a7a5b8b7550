"""A sweep's report at its end, if any of its runs has changed."""

import csv
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_exp.analysis.load.discover import PAGE, REPORT, UNFINISHED, find_inputs
from cifar_exp.analysis.load.signature import inputs_signature
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
    return report_changes if plan.runs[0].trial.settings.report else print_results


def report_changes(reader: SnapshotReader, print_line: PrintLine) -> None:
    """Write the report again, unless it was made from the same runs as they are now; print both.

    The ranking is the report's, so that nothing else can name another winner. The runs are what
    counts: a report that cannot be made is mentioned, and changes nothing else.
    """
    folder = reader.folder.path / REPORT
    try:
        report = _changed_report(reader, print_line)
    except Exception as error:
        print_results(reader, print_line)
        _print_failure(reader, error, print_line)
        return
    try:
        _print_ranking(reader, folder, print_line)
        if report is None:
            print_line(f"report   {folder / PAGE} (no run has changed since)")
        else:
            _print_answer(report, print_line)
    except Exception as error:
        _print_failure(reader, error, print_line)


def _changed_report(reader: SnapshotReader, print_line: PrintLine) -> "Report | None":
    """The report, written again; None where it was made from the same runs as they are now."""
    sweep = reader.folder.path
    inputs = find_inputs([sweep])
    is_whole = not (sweep / REPORT / UNFINISHED).exists()
    if is_whole and _is_made_from(sweep / REPORT / PAGE, inputs_signature(inputs)):
        return None
    print_line(f"report   on {counted(len(inputs.runs), 'run')} ...")
    # the modules that compute take a second to import
    from cifar_exp.analysis.report import ReportOptions, make_report
    from cifar_exp.analysis.statistics.metric import METRICS

    return make_report(inputs, ReportOptions(METRICS["val_accuracy"]), lambda _line: None)


def _print_failure(reader: SnapshotReader, error: Exception, print_line: PrintLine) -> None:
    print_line(f"error    the report failed ({type(error).__name__}: {error}); all runs are safe:")
    print_line(f"         python -m cifar_exp.report {reader.folder.path} tries again")


def _is_made_from(page: Path, signature: str) -> bool:
    """Whether a page names this signature; modification times prove nothing if clocks differ."""
    start = ""
    with suppress(OSError, ValueError), page.open(encoding="utf-8") as stream:
        start = stream.read(4096)
    return f'<meta name="signature" content="{signature}">' in start


def _print_answer(report: "Report", print_line: PrintLine) -> None:
    from cifar_exp.analysis.figures.process import draw_figures
    from cifar_exp.analysis.findings.collect import answer_lines

    for number, line in enumerate(answer_lines(report.all_statistics)):
        print_line(line, is_bold=number == 0)
    print_line(f"report   {report.page}")
    draw_figures(report.page.parent, report.figures, print_line)


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
    with suppress(FileNotFoundError), summary.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["mean"]:
                groups.setdefault(row["section"], []).append(_ranked(row))
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
