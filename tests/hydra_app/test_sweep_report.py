"""The report at a sweep's end."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cifar_exp.analysis.figures.base import GroupFigures
from cifar_exp.analysis.load.discover import UNFINISHED
from cifar_exp.config.schema import Settings
from cifar_exp.hydra_app.sweep_report import end_of, read_ranking, report_changes
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.monitor.ranking import Ranked
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.trial import Trial
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
    report_changes(SnapshotReader(sweep.path), lambda line, **_: lines.append(line))
    return lines


def page_of(sweep: SweepFolder) -> Path:
    return sweep.path / "report" / "index.html"


def test_the_report_is_written_even_if_no_run_completed(sweep: SweepFolder) -> None:
    lines = report(sweep)
    page = page_of(sweep)
    assert lines == [
        "report   on 1 run ...",
        "answer   No completed run has a value of this metric, so there is nothing to compare.",
        "answer   1 run failed, and none completed.",
        f"report   {page}",
    ]
    assert "ValueError: boom" in page.read_text()


def test_without_a_change_the_report_is_kept(sweep: SweepFolder) -> None:
    report(sweep)
    page = page_of(sweep)
    before = page.stat().st_mtime_ns
    assert report(sweep)[-1] == f"report   {page} (no run has changed since)"
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
        "report   on 1 run ...",
        "error    the report failed (ZeroDivisionError: by zero); all runs are safe:",
        f"         python -m cifar_exp.report {sweep.path} tries again",
    ]


@pytest.fixture
def trained(tmp_path: Path, make_record: Callable[..., RunRecord]) -> SweepFolder:
    """A sweep of two widths with two seeds each; the best run is of the worse width."""
    values = {("8", "0"): 0.9, ("8", "1"): 0.1, ("16", "0"): 0.6, ("16", "1"): 0.7}
    rows = ["run_id,folder,status,model.width,seed"]
    for number, ((width, seed), final) in enumerate(values.items()):
        run_id = f"{number:010d}"
        folder = tmp_path / "outputs" / "runs" / f"tiny-{run_id}"
        folder.mkdir(parents=True)
        params = {"model.width": int(width), "seed": int(seed)}
        record = make_record(run_id=run_id, final=final, test=final, sizes=(80, 20, 20), **params)
        record.seed = int(seed)
        record.save(folder)
        rows.append(f"{run_id},../../runs/tiny-{run_id},completed,{width},{seed}")
    folder = tmp_path / "outputs" / "sweeps" / "mine"
    folder.mkdir(parents=True)
    (folder / "runs.csv").write_text("\n".join(rows) + "\n")
    (folder / "sweep.yaml").write_text("name: mine\n")
    return SweepFolder(folder)


def ranks_in(lines: Sequence[str]) -> list[list[str]]:
    """The first words of each ranked line: configurations, then runs."""
    return [line.split()[:4] for line in lines if line.startswith("   ")]


def test_the_ranking_is_the_reports_whether_it_was_written_now_or_before(
    trained: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.analysis.figures.process.draw_figures", lambda *_: None)
    monkeypatch.setattr("cifar_exp.analysis.figures.keys.is_drawn", lambda _figure: True)
    first, second = report(trained), report(trained)
    assert "no run has changed" in second[-1]
    for lines in (first, second):
        assert ranks_in(lines) == [
            ["1", "16", "2", "65.00"],
            ["2", "8", "2", "50.00"],
            ["1", "width=8", "seed=0", "90.00"],
            ["2", "width=16", "seed=1", "70.00"],
            ["3", "width=16", "seed=0", "60.00"],
            ["4", "width=8", "seed=1", "10.00"],
        ]


def test_the_ranking_names_the_same_winner_as_the_answer(
    trained: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.analysis.figures.process.draw_figures", lambda *_: None)
    lines = report(trained)
    answers = [line for line in lines if line.startswith("answer")]
    assert "width=16" in answers[0] or "Width 16" in answers[0]


def test_the_answer_is_printed_again_where_no_run_has_changed(
    trained: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.analysis.figures.process.draw_figures", lambda *_: None)
    monkeypatch.setattr("cifar_exp.analysis.figures.keys.is_drawn", lambda _figure: True)
    first, second = report(trained), report(trained)
    assert first[0] == "report   on 4 runs ..."
    assert first[1:-1] == second[:-1]
    assert second[-1] == f"{first[-1]} (no run has changed since)"


def test_without_validation_images_the_runs_are_ranked_with_a_warning(
    trained: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in trained.runs_folder.glob("*/run.json"):
        record = json.loads(path.read_text())
        record["final"]["val_accuracy"] = None
        path.write_text(json.dumps(record))
    monkeypatch.setattr("cifar_exp.analysis.figures.process.draw_figures", lambda *_: None)
    lines = report(trained)
    assert "test (not for choosing)" in lines[1]
    assert ranks_in(lines)[:2] == [["1", "16", "2", "65.00"], ["2", "8", "2", "50.00"]]


def test_groups_that_must_not_be_compared_are_ranked_apart(tmp_path: Path) -> None:
    summary = tmp_path / "summary.csv"
    summary.write_text(
        "group,rank,configuration,model.width,n,mean,ci_low,ci_high,test_mean,diverged,failed\n"
        "on cpu,1,width=8,8,2,0.5,0.4,0.6,0.45,1,2\n"
        "on cuda,1,width=8,8,1,0.7,,,,0,0\n"
        "on cuda,0,width=16,16,0,,,,,0,1\n"
    )
    values = {"model.width": "8"}
    assert read_ranking(summary) == {
        "on cpu": [Ranked(values, 2, 0.5, low=0.4, high=0.6, test=0.45, failed=3)],
        "on cuda": [Ranked(values, 1, 0.7)],
    }


def test_report_false_leaves_a_plain_ranking(
    trained: SweepFolder, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings("data=shapes").model_copy(update={"report": False})
    plan = Plan("mine", (), [PlannedRun("a", Trial(settings, "tiny", (), {}), None)], 1, {})
    lines: list[str] = []
    end_of(plan)(SnapshotReader(trained.path), lambda line, **_: lines.append(line))
    assert ranks_in(lines)[:2] == [["1", "16", "2", "65.00"], ["2", "8", "2", "50.00"]]
    assert not (trained.path / "report").exists()
