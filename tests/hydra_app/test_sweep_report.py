"""The report at a sweep's end."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.registry import FigureData, FigureSpec
from cifar_exp.analysis.figures.style import FigureSkipped
from cifar_exp.hydra_app.sweep_report import report_changes
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.sweep_folder import SweepFolder


@pytest.fixture
def sweep(tmp_path: Path, make_record: Callable[..., RunRecord]) -> SweepFolder:
    """A sweep of one failed run."""
    run = tmp_path / "outputs" / "runs" / "tiny-0123456789"
    run.mkdir(parents=True)
    make_record("failed", error="boom").save(run)
    folder = tmp_path / "outputs" / "sweeps" / "mine"
    folder.mkdir(parents=True)
    (folder / "runs.csv").write_text(
        "run_id,folder,status,seed\n0123456789,../../runs/tiny-0123456789,failed,0\n"
    )
    (folder / "sweep.yaml").write_text("name: mine\n")
    return SweepFolder(folder)


def report(sweep: SweepFolder, figures: Sequence[FigureSpec] = ()) -> list[str]:
    lines: list[str] = []
    report_changes(sweep, lambda line, **_: lines.append(line), figures)
    return lines


def page_of(sweep: SweepFolder) -> Path:
    return sweep.path / "report" / "index.html"


def test_the_report_is_written_even_if_no_run_completed(sweep: SweepFolder) -> None:
    lines = report(sweep)
    page = page_of(sweep)
    assert lines == [
        "answer   No completed run has a value of this metric, so there is nothing to compare.",
        f"report   {page}",
    ]
    assert "ValueError: boom" in page.read_text()


def test_without_a_change_the_report_is_kept(sweep: SweepFolder) -> None:
    report(sweep)
    page = page_of(sweep)
    before = page.stat().st_mtime_ns
    assert report(sweep) == [f"report   {page} (no run has changed since)"]
    assert page.stat().st_mtime_ns == before


def change_run(sweep: SweepFolder, ns: int) -> None:
    os.utime(sweep.path / "../../runs/tiny-0123456789/run.json", ns=(ns, ns))


def add_run(sweep: SweepFolder, ns: int) -> None:
    with (sweep.path / "runs.csv").open("a") as stream:
        stream.write("12e4567890,,pending,1\n")
    os.utime(sweep.path / "runs.csv", ns=(ns, ns))


@pytest.mark.parametrize("change", [change_run, add_run])
@pytest.mark.parametrize("hours", [-24, 24])
def test_after_a_change_the_report_is_written_again_even_if_the_clock_went_back(
    sweep: SweepFolder, change: Callable[[SweepFolder, int], None], hours: int
) -> None:
    report(sweep)
    page = page_of(sweep)
    change(sweep, page.stat().st_mtime_ns + hours * 3600 * 10**9)
    page.write_text(page.read_text() + "of the first report")
    assert "no run has changed" not in report(sweep)[-1]
    assert "of the first report" not in page.read_text()


def test_a_run_that_changes_while_the_report_is_made_is_reported_the_next_time(
    sweep: SweepFolder,
) -> None:
    record = sweep.path / "../../runs/tiny-0123456789/run.json"

    def write_record(_data: FigureData) -> Figure:
        record.write_text(record.read_text() + "\n")
        raise FigureSkipped("there is nothing to draw")

    report(sweep, [FigureSpec("any", write_record, "Any", "A figure.")])
    assert "no run has changed" not in report(sweep)[-1]
    assert "no run has changed" in report(sweep)[-1]


def test_a_report_that_fails_is_mentioned_and_raises_nothing(
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("cifar_exp.analysis.report.make_report", fail)
    assert report(sweep) == [
        "error    the report failed (ZeroDivisionError: by zero); all runs are",
        f"         safe: python -m cifar_exp.report {sweep.path} tries again",
    ]
