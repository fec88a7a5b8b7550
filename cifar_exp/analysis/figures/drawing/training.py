"""Learning curves, early stopping, and what a better result costs."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.training import budget_table, history_panels
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.figures.drawing.encoding import Encoding, encoding
from cifar_exp.analysis.figures.drawing.style import (
    ACCENT,
    GRAY,
    INK,
    log_axis,
    metric_label,
    new_figure,
    title,
    title_and_legend,
)
from cifar_exp.analysis.statistics.curves import by_configuration
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.pareto import pareto_front

MOST_BANDS = 12  # configurations; the bands of more hide each other
MOST_CURVES = 300  # of more, every second or third by rank
PALE = (0.55, 0.55, 0.55)  # of paused runs
SMALL, CROWD = 3, 60  # marker size from this many configurations on


def draw_history(data: FigureData) -> Figure:
    """Accuracy and loss by epoch, on training and validation images."""
    statistics = data.statistics
    panels = history_panels(statistics)
    rows = (len(panels) + 1) // 2
    figure = new_figure(2.9 * rows + 0.7)
    grid = figure.subplots(rows, 2, squeeze=False, sharex=True).ravel()
    coded = encoding(statistics)
    is_crowded = len(statistics.evaluated) > MOST_BANDS
    draw = _draw_crowd if is_crowded else _draw_curves
    for axes, (column, label, scale) in zip(grid, panels, strict=False):
        _draw_paused(axes, statistics, column, scale)
        draw(axes, statistics, column, scale, coded)
        axes.set_ylabel(label)
    for axes in grid[len(panels) :]:
        axes.remove()
    for axes in grid[max(0, len(panels) - 2) : len(panels)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    text = f"Training and validation by epoch, {seeds_label(statistics)}"
    handles = coded.legend("lines", has_shapes=not is_crowded)
    title_and_legend(figure, text, _history_note(statistics, is_crowded), handles)
    return figure


def _history_note(statistics: GroupStatistics, is_crowded: bool) -> str:
    bands = "" if is_crowded else " Bands: from the lowest seed to the highest."
    means = f"Lines: means over seeds.{bands} " if statistics.seeds > 1 else ""
    if len(statistics.paused.runs):
        means += "Dashed, to a circle: single runs that were paused. "
    best = f"Thick: the best, {statistics.best}. " if is_crowded else ""
    smoothed = "Training values are running means over augmented images, with any label smoothing."
    return f"{means}{best}{smoothed}"


def _draw_curves(
    axes: Axes, statistics: GroupStatistics, column: str, scale: int, coded: Encoding
) -> None:
    table = by_configuration(statistics.history, statistics.counted, column)
    for name, rows in table.groupby("configuration"):
        style = coded.style(statistics.cells.loc[name])
        marker = "o" if len(rows) == 1 else ""  # one point makes no line
        look: dict[str, Any] = {"color": style.color, "linestyle": style.dash, "lw": 1.8}
        axes.plot(rows["epoch"], rows["mean"] * scale, marker=marker, **look)
        if rows["n"].max() > 1:
            low, high = rows["lowest"] * scale, rows["highest"] * scale
            axes.fill_between(rows["epoch"], low, high, color=style.color, alpha=0.15, lw=0)


def _draw_crowd(
    axes: Axes, statistics: GroupStatistics, column: str, scale: int, coded: Encoding
) -> None:
    """Many configurations: thin lines by their color alone, and the best one thick on top."""
    table = by_configuration(statistics.history, statistics.counted, column)
    shown = statistics.evaluated["configuration"]
    shown = shown[np.linspace(0, len(shown) - 1, min(len(shown), MOST_CURVES)).round().astype(int)]
    curves = {str(name): rows for name, rows in table.groupby("configuration")}
    names = [name for name in shown if name in curves]
    lines = [np.column_stack([curves[n]["epoch"], curves[n]["mean"] * scale]) for n in names]
    colors = [coded.style(statistics.cells.loc[name]).color for name in names]
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=0.7, alpha=0.6))
    if statistics.best in curves:
        best = curves[str(statistics.best)]
        axes.plot(best["epoch"], best["mean"] * scale, color=INK, lw=3)
    axes.autoscale_view()


def _draw_paused(axes: Axes, statistics: GroupStatistics, column: str, scale: int) -> None:
    """Each paused run as a pale dashed line that ends in a hollow circle."""
    rows = statistics.paused_history.dropna(subset=[column])
    curves = [own for _, own in rows.groupby("run_id", sort=False)]
    lines = [np.column_stack([own["epoch"], own[column] * scale]) for own in curves]
    look: dict[str, Any] = {"colors": [PALE], "linewidths": 0.8, "linestyles": "dashed"}
    axes.add_collection(LineCollection(lines[:MOST_CURVES], **look))
    ends = np.array([line[-1] for line in lines[:MOST_CURVES]]).reshape(-1, 2)
    axes.plot(*ends.T, "o", ms=3.5, mfc="white", mec=PALE, mew=0.8, zorder=1.5)


def draw_budget(data: FigureData) -> Figure:
    """How well the ranking at an early epoch predicts the final one."""
    statistics = data.statistics
    table = budget_table(statistics)
    figure = new_figure(3.6)
    axes = figure.subplots()
    ends = table["lowest"], table["highest"]
    axes.fill_between(table["epoch"], *ends, color=ACCENT, alpha=0.2, lw=0)
    axes.plot(table["epoch"], table["correlation"], "o-", ms=5, color=ACCENT)
    bottom = np.nanmin([0.0, table["correlation"].min(), table["lowest"].min()])
    axes.set_ylim(bottom - 0.05, 1.05)
    axes.set_xlim(left=0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="stopping at epoch k of this schedule", ylabel="correlation with final ranking")
    size = int(table["configurations"].iloc[0])
    text = f"How early the final ranking of {size} configurations emerges"
    title(figure, text, _budget_note(table, statistics))
    return figure


def _budget_note(table: pd.DataFrame, statistics: GroupStatistics) -> str:
    has_band = (table["lowest"] < table["highest"]).any()
    seeds = " Band: rankings of single seeds." if has_band else ""
    cost = table["cost"].iloc[0]
    lost = statistics.metric.difference_text(cost)[1:]
    if len(statistics.paused.runs):
        seeds += " Only of those that were not paused, which differ less."
    first = f"The leader at epoch {table['epoch'].iloc[0]:.0f} ends {lost} behind the best."
    return (
        f"Spearman's correlation between the validation accuracy at epoch k and at the end.{seeds} "
        f"{first} Runs of k epochs with a schedule of their own may rank differently."
    )


def draw_compute(data: FigureData) -> Figure:
    """The metric against compute, with the Pareto front."""
    statistics = data.statistics
    table, coded = statistics.evaluated.dropna(subset="pflop"), encoding(statistics)
    scale = statistics.metric.scale
    figure = new_figure(4.4)
    axes = figure.subplots()
    front = table[pareto_front(table, "pflop", statistics.metric)].sort_values("pflop")
    axes.plot(front["pflop"], front["mean"] * scale, color=GRAY, lw=1.5, zorder=1)
    styles = pd.Series([coded.style(row) for _, row in table.iterrows()], index=table.index)
    for _, own in table.groupby(styles.map(lambda style: style.marker)):
        _draw_points(axes, own, styles[own.index], scale, SMALL if len(table) > CROWD else 6)
    look: dict[str, Any] = {"ms": 11, "mfc": "none", "mec": INK, "lw": 0}
    axes.plot(front["pflop"], front["mean"] * scale, "o", **look)
    if 0 < 5 * table["pflop"].min() < table["pflop"].max():
        log_axis(axes, "x")
    axes.set(xlabel="training compute (PFLOP)", ylabel=metric_label(statistics))
    bars = "Bars: 95 % interval. " if table["ci_low"].notna().any() else ""
    note = f"{bars}Ringed, gray line: the Pareto front, where nothing cheaper is as good."
    text = f"{statistics.metric.label.capitalize()} against compute, {seeds_label(statistics)}"
    title_and_legend(figure, text, note, coded.legend("markers"))
    return figure


def _draw_points(
    axes: Axes, table: pd.DataFrame, styles: "pd.Series[Any]", scale: float, size: int
) -> None:
    """Configurations of one marker, with their intervals."""
    colors = [style.color for style in styles]
    means = table["mean"] * scale
    reach = np.array([table["mean"] - table["ci_low"], table["ci_high"] - table["mean"]])
    bars: dict[str, Any] = {"fmt": "none", "ecolor": colors, "elinewidth": 1.2}
    axes.errorbar(table["pflop"], means, np.nan_to_num(reach) * scale, **bars)
    axes.scatter(table["pflop"], means, size**2, colors, marker=styles.iloc[0].marker)
