"""A sweep's report at its end, if any of its runs has changed."""

from contextlib import suppress
from pathlib import Path

from cifar_exp.analysis.load.discover import PAGE, REPORT, UNFINISHED, ReportInputs, find_inputs
from cifar_exp.analysis.load.signature import inputs_signature
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.sweep import OnEnd
from cifar_exp.terminal import PrintLine


def end_of(plan: Plan) -> OnEnd | None:
    """What a sweep does at its end: `report_changes`, unless report=false."""
    return report_changes if plan.runs[0].trial.settings.report else None


def report_changes(sweep: SweepFolder, print_line: PrintLine) -> None:
    """Write the report again, unless it was made from the same runs as they are now.

    The runs are what counts: a report that cannot be made is mentioned, and changes nothing else.
    """
    page = sweep.path / REPORT / PAGE
    try:
        inputs = find_inputs([sweep.path])
        is_whole = not (page.parent / UNFINISHED).exists()
        if is_whole and _is_made_from(page, inputs_signature(inputs)):
            print_line(f"report   {page} (no run has changed since)")
        else:
            _report(inputs, print_line)
    except Exception as error:
        print_line(f"error    the report failed ({type(error).__name__}: {error}); all runs are")
        print_line(f"         safe: python -m cifar_exp.report {sweep.path} tries again")


def _is_made_from(page: Path, signature: str) -> bool:
    """Whether a page names this signature; modification times prove nothing if clocks differ."""
    start = ""
    with suppress(OSError, ValueError), page.open(encoding="utf-8") as stream:
        start = stream.read(4096)
    return f'<meta name="signature" content="{signature}">' in start


def _report(inputs: ReportInputs, print_line: PrintLine) -> None:
    # the modules that compute take a second to import
    from cifar_exp.analysis.figures.process import draw_figures
    from cifar_exp.analysis.findings.collect import answer_lines
    from cifar_exp.analysis.report import ReportOptions, make_report
    from cifar_exp.analysis.statistics.metric import METRICS

    report = make_report(inputs, ReportOptions(METRICS["val_accuracy"]), lambda _line: None)
    for number, line in enumerate(answer_lines(report.all_statistics)):
        print_line(line, is_bold=number == 0)
    print_line(f"report   {report.page}")
    draw_figures(report.page.parent, report.figures, print_line)
