"""The report at a sweep's end."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cifar_exp.analysis.figures.base import GroupFigures
from cifar_exp.analysis.load.discover import UNFINISHED
from cifar_exp.hydra_app.sweep_report import report_changes
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.terminal import PrintLine


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


def report(sweep: SweepFolder) -> list[str]:
    lines: list[str] = []
    report_changes(sweep, lambda line, **_: lines.append(line))
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
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sweep.path / "../../runs/tiny-0123456789/run.json"

    def write_record(*_arguments: object) -> None:
        record.write_text(record.read_text() + "\n")

    with monkeypatch.context() as patch:
        patch.setattr("cifar_exp.analysis.figures.process.draw_figures", write_record)
        report(sweep)
    assert "no run has changed" not in report(sweep)[-1]
    assert "no run has changed" in report(sweep)[-1]


def test_the_figures_are_drawn_when_the_page_is_there(
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(folder: Path, _groups: Sequence[GroupFigures], print_line: PrintLine) -> None:
        print_line(f"drawing beside {sorted(path.name for path in folder.glob('*.html'))}")

    monkeypatch.setattr("cifar_exp.analysis.figures.process.draw_figures", draw)
    assert report(sweep)[-2:] == [f"report   {page_of(sweep)}", "drawing beside ['index.html']"]


def test_figures_that_were_interrupted_are_drawn_at_the_next_end(sweep: SweepFolder) -> None:
    report(sweep)
    marker = page_of(sweep).parent / UNFINISHED
    marker.parent.mkdir()
    marker.touch()
    assert "no run has changed" not in report(sweep)[-1]


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
