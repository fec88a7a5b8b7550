"""A sweep's report at its end, if any of its runs has changed."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_exp.analysis.load.discover import PAGE, REPORT, ReportInputs, find_inputs
from cifar_exp.analysis.load.signature import inputs_signature
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.sweep import OnEnd
from cifar_exp.terminal import PrintLine

if TYPE_CHECKING:
    from cifar_exp.analysis.figures.registry import FigureSpec


def end_of(plan: Plan) -> OnEnd | None:
    """What a sweep does at its end: `report_changes`, unless report=false."""
    return report_changes if plan.runs[0].trial.settings.report else None


def report_changes(
    sweep: SweepFolder, print_line: PrintLine, figures: "Sequence[FigureSpec] | None" = None
) -> None:
    """Write the report again, unless it was made from the same runs as they are now.

    The runs are what counts: a report that cannot be made is mentioned, and changes nothing else.
    """
    page = sweep.path / REPORT / PAGE
    try:
        inputs = find_inputs([sweep.path])
        if _is_made_from(page, inputs_signature(inputs)):
            print_line(f"report   {page} (no run has changed since)")
        else:
            _report(inputs, print_line, figures)
    except Exception as error:
        print_line(f"error    the report failed ({type(error).__name__}: {error}); all runs are")
        print_line(f"         safe: python -m cifar_exp.report {sweep.path} tries again")


def _is_made_from(page: Path, signature: str) -> bool:
    """Whether a page names this signature; modification times prove nothing if clocks differ."""
    start = ""
    with suppress(OSError, ValueError), page.open(encoding="utf-8") as stream:
        start = stream.read(4096)
    return f'<meta name="signature" content="{signature}">' in start


def _report(
    inputs: ReportInputs, print_line: PrintLine, figures: "Sequence[FigureSpec] | None"
) -> None:
    # the modules that compute and draw take two seconds to import
    from cifar_exp.analysis.page.findings import finding_lines
    from cifar_exp.analysis.report import ReportOptions, make_report
    from cifar_exp.analysis.statistics.metric import METRICS

    options = ReportOptions(METRICS["val_accuracy"], figures=figures)
    report = make_report(inputs, options, lambda _line: None)
    for number, line in enumerate(finding_lines(report.all_statistics)):
        print_line(line, is_bold=number == 0)
    print_line(f"report   {report.page}")
