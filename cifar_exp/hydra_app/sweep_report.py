"""A sweep's report at its end, if any of its runs has changed."""

from pathlib import Path

from cifar_exp.analysis.load.discover import PAGE, REPORT, find_inputs
from cifar_exp.storage.atomic import mtime_ns
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.sweep import OnEnd, PrintLine


def end_of(plan: Plan) -> OnEnd | None:
    """What a sweep does at its end: `report_changes`, unless report=false."""
    return report_changes if plan.runs[0].trial.settings.report else None


def report_changes(sweep: SweepFolder, print_line: PrintLine) -> None:
    """Write the report again unless it is newer than everything that it covers.

    The runs are what counts: a report that cannot be made is mentioned, and changes nothing else.
    """
    page = sweep.path / REPORT / PAGE
    if mtime_ns(page) >= _changed_at(sweep):
        print_line(f"report   {page} (no run has changed since)")
        return
    try:
        _report(sweep.path, print_line)
    except Exception as error:
        print_line(f"error    the report failed ({type(error).__name__}: {error}); all runs are")
        print_line(f"         safe: python -m cifar_exp.report {sweep.path} tries again")


def _report(folder: Path, print_line: PrintLine) -> None:
    # the modules that compute and draw take two seconds to import
    from cifar_exp.analysis.page.findings import answer_lines
    from cifar_exp.analysis.report import make_report
    from cifar_exp.analysis.statistics.metric import METRICS

    made = make_report(
        find_inputs([folder]), None, METRICS["val_accuracy"], None, lambda _line: None
    )
    for line in answer_lines(made.studies):
        print_line(line)
    print_line(f"report   {made.page}")


def _changed_at(sweep: SweepFolder) -> int:
    """When the newest run, or the list of runs, was written."""
    records = [sweep.path / row.folder / "run.json" for row in sweep.rows() if row.folder]
    return max(mtime_ns(path) for path in [sweep.path / "runs.csv", *records])
