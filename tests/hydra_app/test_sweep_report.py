"""The report at a sweep's end."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.hydra_app.sweep_report import report_changes
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.sweep_folder import SweepFolder


@pytest.fixture
def sweep(
    tmp_path: Path, make_record: Callable[..., RunRecord], monkeypatch: pytest.MonkeyPatch
) -> SweepFolder:
    """A sweep of one run that failed; nothing is drawn."""
    monkeypatch.setattr("cifar_exp.analysis.figures.registry.GROUP_FIGURES", {})
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


def told(sweep: SweepFolder) -> list[str]:
    lines: list[str] = []
    report_changes(sweep, lines.append)
    return lines


def test_the_report_is_written_also_when_no_run_completed(sweep: SweepFolder) -> None:
    lines = told(sweep)
    page = sweep.path / "report" / "index.html"
    assert lines == [
        "answer   No run is completed with a figure to judge it by: there is nothing to compare.",
        f"report   {page}",
    ]
    assert "ValueError: boom" in page.read_text()


def test_without_a_change_it_is_left_as_it_is(sweep: SweepFolder) -> None:
    told(sweep)
    page = sweep.path / "report" / "index.html"
    before = page.stat().st_mtime_ns
    assert told(sweep) == [f"report   {page} (no run has changed since)"]
    assert page.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["runs.csv", "../../runs/tiny-0123456789/run.json"])
def test_a_changed_run_or_list_of_runs_is_reported_anew(sweep: SweepFolder, name: str) -> None:
    told(sweep)
    page = sweep.path / "report" / "index.html"
    later = page.stat().st_mtime_ns + 10**9
    os.utime(sweep.path / name, ns=(later, later))
    before = page.stat().st_mtime_ns
    told(sweep)
    assert page.stat().st_mtime_ns > before


def test_a_run_that_changes_while_the_report_is_made_is_reported_the_next_time(
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sweep.path / "../../runs/tiny-0123456789/run.json"

    def write_page(*_arguments: object) -> None:
        (sweep.path / "report" / "index.html").write_text("of what was read before")
        record.write_bytes(record.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr("cifar_exp.analysis.report._write_page", write_page)
        told(sweep)
    assert "no run has changed" not in told(sweep)[-1]


def test_a_report_that_fails_is_told_and_raises_nothing(
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("cifar_exp.analysis.report.make_report", fail)
    assert told(sweep) == [
        "error    the report failed (ZeroDivisionError: by nought); all runs are",
        f"         safe: python -m cifar_exp.report {sweep.path} tries again",
    ]
