"""A sweep's report at its end, where any of its runs has changed."""

from collections.abc import Callable
from pathlib import Path

from cifar_exp.analysis.load.discover import PAGE, REPORT, find_inputs
from cifar_exp.storage.atomic import mtime_ns
from cifar_exp.storage.sweep_folder import SweepFolder

Tell = Callable[[str], None]


def report_changes(sweep: SweepFolder, tell: Tell) -> None:
    """Write the report anew unless it is newer than all that it tells of.

    The runs are what counts: a report that cannot be made is told, and changes nothing else.
    """
    page = sweep.path / REPORT / PAGE
    if mtime_ns(page) >= _changed_at(sweep):
        tell(f"report   {page} (no run has changed since)")
        return
    try:
        _report(sweep.path, tell)
    except Exception as error:
        tell(f"error    the report could not be made ({type(error).__name__}: {error}); all runs")
        tell(f"         are safe: python -m cifar_exp.report {sweep.path} tries again")


def _report(folder: Path, tell: Tell) -> None:
    # what computes and draws takes two seconds to import
    from cifar_exp.analysis.page.findings import answer_lines
    from cifar_exp.analysis.report import make_report
    from cifar_exp.analysis.statistics.metric import METRICS

    made = make_report(
        find_inputs([folder]), None, METRICS["val_accuracy"], None, lambda _line: None
    )
    for line in answer_lines(made.studies):
        tell(line)
    tell(f"report   {made.page}")


def _changed_at(sweep: SweepFolder) -> int:
    """When the newest run, or the list of runs, was written."""
    records = [sweep.path / row.folder / "run.json" for row in sweep.rows() if row.folder]
    return max(mtime_ns(path) for path in [sweep.path / "runs.csv", *records])
