"""Figures are drawn in a process of their own, and only those whose inputs have changed."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis.figures import process
from cifar_exp.analysis.figures.base import FigureData, GroupFigures
from cifar_exp.analysis.figures.catalog import plan_figures
from cifar_exp.analysis.load.discover import UNFINISHED
from cifar_exp.analysis.statistics.progress import all_progress


@pytest.fixture(autouse=True)
def _without_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "QUIET_SECONDS", 3600.0)  # however slow the machine is


@pytest.fixture
def group(outputs: Any, tmp_path: Path) -> GroupFigures:
    """Two figures of one run, and a third that it does not suffice for."""
    outputs.run(val=0.5)
    return planned(outputs, tmp_path)


def planned(outputs: Any, report: Path) -> GroupFigures:
    names = ("comparison", "history", "noise")
    statistics = outputs.statistics()
    return plan_figures(FigureData(statistics, [], all_progress(statistics, [])), report, names)


def draw(report: Path, *groups: GroupFigures) -> list[str]:
    lines: list[str] = []
    process.draw_figures(report, groups, lines.append)
    return lines


def child_that_runs(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.mark.slow
def test_what_is_unchanged_is_not_drawn_again(
    outputs: Any, group: GroupFigures, tmp_path: Path
) -> None:
    end = f"figures  {tmp_path / 'figures'}"
    assert draw(tmp_path, group) == ["figures  drawing 2 figures ...", end]
    (folder,) = (tmp_path / "figures").iterdir()
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["comparison.png", "comparison.svg", "history.png", "history.svg"]
    assert draw(tmp_path, planned(outputs, tmp_path)) == []
    (folder / "history.png").unlink()
    assert draw(tmp_path, planned(outputs, tmp_path)) == ["figures  drawing 1 figure ...", end]
    outputs.run(val=0.6, seed=1)
    changed = planned(outputs, tmp_path)
    assert draw(tmp_path, changed) == ["figures  drawing 3 figures ...", end]
    assert "noise" in {path.stem for path in folder.iterdir()}


@pytest.mark.slow
def test_both_files_say_what_is_to_be_seen(group: GroupFigures, tmp_path: Path) -> None:
    draw(tmp_path, group)
    svg, png = (group.planned[0].path(kind).read_bytes() for kind in ("svg", "png"))
    text = b"Validation accuracy of the only configuration: 50.00 %, 1 seed each."
    assert text in svg
    assert text in png


def test_a_figure_that_is_left_out_is_deleted(
    outputs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "CHILD", child_that_runs("raise SystemExit('not needed')"))
    outputs.run(status="failed", error="x")
    group = planned(outputs, tmp_path)
    old = group.planned[0].path("png")
    old.parent.mkdir(parents=True)
    old.write_text("of an earlier report")
    assert draw(tmp_path, group) == []
    assert not old.exists()


FAILS_ONCE = """
import pickle, sys
pickle.load(sys.stdin.buffer)
print('{"error": "ZeroDivisionError: by zero"}\\n{"error": null}')
"""


def test_a_figure_that_fails_costs_itself_alone(
    group: GroupFigures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "CHILD", child_that_runs(FAILS_ONCE))
    assert draw(tmp_path, group) == [
        "figures  drawing 2 figures ...",
        "figures  comparison could not be drawn (ZeroDivisionError: by zero)",
        f"figures  {tmp_path / 'figures'}",
    ]
    assert not (tmp_path / UNFINISHED).exists()


def test_it_says_how_far_it_is(
    group: GroupFigures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "CHILD", child_that_runs(FAILS_ONCE))
    monkeypatch.setattr(process, "QUIET_SECONDS", 0.0)
    assert draw(tmp_path, group)[-2] == "figures  1 of 2"


@pytest.mark.parametrize("code", ["raise SystemExit('no module')", "import os; os.abort()"])
def test_a_child_that_ends_early_is_mentioned(
    code: str, group: GroupFigures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "CHILD", child_that_runs(code))
    words = {"raise SystemExit('no module')": "1: no module"}.get(code, f"{-signal.SIGABRT}")
    assert draw(tmp_path, group)[-1] == f"figures  stopped with code {words}"
    assert (tmp_path / UNFINISHED).exists()


WAITS = """
import pathlib, pickle, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it
jobs = pickle.load(sys.stdin.buffer)
folder = jobs[0].figures[0].folder
try:
    print('{"error": null}', flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    (folder / "ended").touch()
"""


def test_an_interrupted_report_ends_its_child_first(
    group: GroupFigures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "CHILD", child_that_runs(WAITS))

    def follow(lines: Any, *_arguments: object) -> str:
        next(iter(lines))
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "_follow", follow)
    with pytest.raises(KeyboardInterrupt):
        draw(tmp_path, group)
    assert (group.planned[0].folder / "ended").exists()
    assert (tmp_path / UNFINISHED).exists()


def test_a_figure_whose_description_fails_is_left_out_with_the_reason(
    outputs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_data: FigureData) -> str:
        raise ZeroDivisionError("by zero")

    spec = replace(plan_figures.__globals__["CATALOG"][0], alt=fail)
    monkeypatch.setattr("cifar_exp.analysis.figures.catalog.CATALOG", [spec])
    outputs.run(val=0.5)
    (figure,) = planned(outputs, tmp_path).planned
    assert figure.reason == "an error (ZeroDivisionError: by zero)"


def test_the_parent_imports_nothing_that_draws() -> None:
    code = (
        "import sys\nimport cifar_exp.analysis.figures.catalog\n"
        "import cifar_exp.analysis.figures.process\n"
        "print({'matplotlib', 'seaborn', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
