"""The figure of a search's progress: a line for each series, and marks of paused runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.progress import progress_alt, progress_table
from cifar_exp.analysis.figures.drawing.progress import draw_series
from cifar_exp.analysis.figures.drawing.registry import DRAW
from cifar_exp.analysis.figures.drawing.save import figure_style
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.analysis.statistics.progress import all_progress

METRIC = METRICS["val_accuracy"]


def add_sweep(outputs: Any, name: str, paused: int, first: int) -> None:
    """Twelve runs, the better the later; of these, `paused` were paused after the first epoch."""
    folders = []
    for i in range(12):
        end = f"2026-11-02T00:{i:02d}:00+00:00"
        how = {"status": "pruned", "done": 1} if i < paused else {}
        shared = {"compute": {"pflop": 0.2 if how else 1.0}, "finished_at": end, **how}
        folders.append(outputs.run(val=0.4 + 0.01 * i, model__width=first + i, **shared))
    outputs.sweep(name, folders)


def data_of(outputs: Any, name: str) -> FigureData:
    groups = outputs.all_statistics()
    (own,) = (each for each in groups if each.group.title == name)
    return FigureData(own, [], all_progress(own, groups))


def drawn(axes: Any, kind: str) -> list[Any]:
    return [line for line in axes.lines if line.get_drawstyle() == kind]


def test_each_comparable_sweep_of_the_report_has_a_line(outputs: Any) -> None:
    add_sweep(outputs, "tpe", 5, 10)
    add_sweep(outputs, "random", 0, 100)
    data = data_of(outputs, "tpe")
    with figure_style():
        (axes,) = DRAW["progress"](data).axes
    own, other = drawn(axes, "steps-post")
    assert np.asarray(own.get_xdata()).tolist() == pytest.approx([2.0 + i for i in range(7)])
    assert np.asarray(own.get_ydata()).tolist() == pytest.approx([45 + i for i in range(7)])
    assert np.asarray(other.get_xdata())[-1] == pytest.approx(12)
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert np.asarray(hollow[0].get_xdata()).tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert progress_alt(data) == (
        "tpe reaches 51.00 % after 8 of 8 PFLOP (12 runs, 5 of them paused); random reaches "
        "51.00 % after 12 of 12 PFLOP (12 runs)."
    )


def test_a_grid_alone_has_no_progress(outputs: Any) -> None:
    add_sweep(outputs, "grid", 0, 10)
    with pytest.raises(FigureSkipped, match="the runs are no search"):
        progress_table(data_of(outputs, "grid"))


def test_a_series_may_be_a_reference_with_a_band_and_no_runs(tmp_path: Path) -> None:
    best = [0.5, 0.55, 0.6]
    table = pd.DataFrame(
        {
            "series": ["search"] * 3 + ["random order of the grid"] * 3,
            "compute": [1.0, 2.0, 4.0, 1.0, 2.0, 4.0],
            "best": [0.55, 0.6, 0.62, *best],
            "low": [np.nan] * 3 + [value - 0.02 for value in best],
            "high": [np.nan] * 3 + [value + 0.02 for value in best],
        }
    )
    with figure_style():
        figure = draw_series(table, METRIC, "Progress", "Band: 80 % of 1,000 orders.")
        figure.savefig(tmp_path / "progress.png")
    (axes,) = figure.axes
    assert len(drawn(axes, "steps-post")) == 2
    assert len(axes.collections) == 1
    note = figure._supxlabel.get_text()  # type: ignore[attr-defined]
    assert note.replace("\n", " ").endswith("Band: 80 % of 1,000 orders.")


def test_bad_runs_do_not_press_the_lines_to_an_edge_and_are_counted() -> None:
    values = [0.01, 0.02, *np.linspace(0.5, 0.6, 20)]
    table = pd.DataFrame({"compute": range(1, 23), "value": values}).assign(series="search")
    table["best"] = table["value"].cummax().where(table["compute"] > 2)
    with figure_style():
        figure = draw_series(table, METRIC, "Progress")
    assert figure.axes[0].get_ylim()[0] > 40
    assert "(2 bad runs beyond the axis)" in figure._supxlabel.get_text()  # type: ignore[attr-defined]
