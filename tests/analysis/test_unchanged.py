"""A report that would come out as it is is not made again, and prints the same."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis import report as reporting
from cifar_exp.analysis import unchanged
from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.unchanged import NAME, find_unchanged, report_key
from cifar_exp.report import main
from cifar_exp.storage.lock import lock_run

Report = Callable[..., tuple[list[str], bool]]


@pytest.fixture
def report(
    outputs: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Report:
    """Makes a report without figures: its lines, and whether anything was computed."""
    for width in (8, 16):
        for seed in range(2):
            outputs.run(seed=seed, val=width / 100 + seed / 1000, model__width=width)
    made: list[str] = []
    original = reporting.make_report

    def make(*arguments: Any) -> Any:
        made.append("made")
        return original(*arguments)

    monkeypatch.setattr(reporting, "make_report", make)

    def run(*line: object) -> tuple[list[str], bool]:
        made.clear()
        words = ["report", outputs.path, "--figures", "none", *line]
        monkeypatch.setattr(sys, "argv", list(map(str, words)))
        assert main() == 0
        return capsys.readouterr().out.splitlines(), bool(made)

    return run


def test_a_second_report_prints_the_same_and_computes_nothing(report: Report) -> None:
    lines, _ = report()
    assert any(line.startswith("answer") for line in lines)
    assert report() == (lines, False)
    assert report() == (lines, False)


def test_the_json_of_a_report_is_kept_beside_its_lines(report: Report) -> None:
    lines, _ = report()
    answer, is_made = report("--json")
    assert not is_made
    assert len(json.loads("\n".join(answer))["groups"]) == 1
    assert report("--metric", "val_loss", "--json")[1]
    assert report("--json") == (answer, True)
    assert report() == (lines, False)


def test_a_run_that_is_left_out_is_mentioned_again(report: Report, outputs: Any) -> None:
    damaged = outputs.run(seed=9)
    (damaged / "run.json").write_text("{")
    lines, _ = report()
    assert f"left out {damaged}: run.json is damaged: not valid JSON" in lines
    assert report() == (lines, False)


def _delete_the_page(outputs: Any) -> None:
    (outputs.path / "report" / "index.html").unlink()


def _put_another_page_there(outputs: Any) -> None:
    (outputs.path / "report" / "index.html").write_text("from another version")


def _delete_a_table(outputs: Any) -> None:
    (outputs.path / "report" / "runs.csv").unlink()


def _add_a_run(outputs: Any) -> None:
    outputs.run(seed=7, model__width=8)


def _add_an_epoch(outputs: Any) -> None:
    path = next(outputs.path.glob("runs/*/metrics.csv"))
    path.write_text(path.read_text() + "4" + ",1" * 10 + "\n")


def _add_a_sweep(outputs: Any) -> None:
    outputs.sweep("mine", [], ["0123456789"])


def _add_predictions(outputs: Any) -> None:
    for folder in outputs.path.glob("runs/*"):
        outputs.write_predictions(folder, [0, 1], [0, 1])


def _damage_what_was_saved(outputs: Any) -> None:
    (outputs.path / "report" / NAME).write_text('{"key": 1}')


@pytest.mark.parametrize(
    "change",
    [
        _delete_the_page,
        _put_another_page_there,
        _delete_a_table,
        _add_a_run,
        _add_an_epoch,
        _add_a_sweep,
        _add_predictions,
        _damage_what_was_saved,
    ],
)
def test_a_report_is_made_again_after_a_change(
    report: Report, outputs: Any, change: Callable[[Any], None]
) -> None:
    report()
    change(outputs)
    assert report()[1]
    assert not report()[1]


def test_other_options_make_another_report(report: Report) -> None:
    lines, _ = report()
    by_loss, is_made = report("--metric", "val_loss")
    assert is_made
    assert by_loss != lines
    assert report("--baseline", "width=8")[1]
    assert report() == (lines, True)  # the page is that of the baseline until it is made again


def test_another_version_of_the_program_makes_another_report(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    report()
    monkeypatch.setattr("cifar_exp.__version__", "99.0")
    assert report()[1]
    monkeypatch.setattr(unchanged, "_sources", lambda: iter([("report.py", (1, 2))]))
    assert report()[1]


def test_a_run_that_is_taken_up_again_changes_the_report(report: Report, outputs: Any) -> None:
    folder = outputs.run(seed=5, status="interrupted")
    lines, _ = report()
    assert report() == (lines, False)
    with lock_run(outputs.path / "runs", folder.name[-10:]):
        assert report()[1]
        assert not report()[1]
    assert report() == (lines, True)


def test_figures_that_were_not_drawn_or_are_gone_are_wanted(report: Report, outputs: Any) -> None:
    report()
    folder = outputs.path / "report"
    saved = json.loads((folder / NAME).read_text())
    assert find_unchanged(folder, saved["key"], with_figures=False) is not None
    assert find_unchanged(folder, saved["key"], with_figures=True) is None
    figure = folder / "figures.svg"
    figure.write_text("drawn")
    status = os.stat(figure)
    saved["figures"] = {str(figure): [status.st_size, status.st_mtime_ns]}
    (folder / NAME).write_text(json.dumps(saved))
    assert find_unchanged(folder, saved["key"], with_figures=True) is not None
    figure.unlink()
    assert find_unchanged(folder, saved["key"], with_figures=True) is None
    assert find_unchanged(folder, saved["key"], with_figures=False) is not None


def test_runs_named_from_another_folder_make_another_report(
    outputs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outputs.run()
    inputs = find_inputs([outputs.path])
    key = report_key(inputs, {"metric": "val_accuracy"})
    assert report_key(inputs, {"metric": "val_accuracy"}) == key
    monkeypatch.chdir(tmp_path)  # the tables name the runs' folders as seen from here
    assert report_key(inputs, {"metric": "val_accuracy"}) != key
