"""Learning curves and early rankings."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.training import PANELS
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.figures.drawing.style import (
    GRAY,
    PALETTE,
    StyleMap,
    assign_styles,
    new_figure,
    title,
)
from cifar_exp.analysis.statistics.curves import (
    budget_correlation,
    by_configuration,
)
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

FEW_SEEDS = 5  # with fewer, every seed is drawn


def draw_history(data: FigureData) -> Figure:
    """Accuracy and loss by epoch, on training and validation images."""
    statistics = data.statistics
    panels = [panel for panel in PANELS if statistics.history[panel[0]].notna().any()]
    figure = new_figure(3.1 * ((len(panels) + 1) // 2) + 0.4)
    grid = figure.subplots((len(panels) + 1) // 2, 2, squeeze=False, sharex=True).ravel()
    styles = assign_styles(statistics)
    for axes, (column, label, scale) in zip(grid, panels, strict=False):
        _draw_lines(axes, statistics, statistics.history, column, scale, styles)
        axes.set_ylabel(label)
    for axes in grid[len(panels) :]:
        axes.remove()
    for axes in grid[max(0, len(panels) - 2) : len(panels)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)
    styles.title(figure, "Training and validation by epoch", _note(statistics))
    return figure


def _note(statistics: GroupStatistics) -> str:
    if statistics.seeds == 1:
        return "One seed each."
    seeds = " Thin lines: single seeds." if statistics.seeds < FEW_SEEDS else ""
    return f"Lines: means of {seeds_label(statistics)}. Bands: one SD between seeds.{seeds}"


def _draw_lines(
    axes: Axes,
    statistics: GroupStatistics,
    history: pd.DataFrame,
    column: str,
    scale: int,
    styles: StyleMap,
) -> None:
    groups = dict(
        iter(by_configuration(history, statistics.counted, column).groupby("configuration"))
    )
    for name in sorted(groups, key=lambda name: styles.get(name) is not None):  # gray lines first
        style, rows = styles.get(name), groups[name]
        epochs, means = rows["epoch"], rows["mean"] * scale
        marker = "o" if len(rows) == 1 else ""  # one point makes no line
        if style is None:
            axes.plot(epochs, means, color=GRAY, lw=0.6, alpha=0.6, marker=marker, ms=3)
            continue
        color = style.color
        axes.plot(epochs, means, color=color, linestyle=style.dash, lw=1.6, marker=marker)
        low, high = rows["low"] * scale, rows["high"] * scale
        axes.fill_between(epochs, low, high, color=color, alpha=0.15, lw=0)
        if 1 < rows["n"].max() < FEW_SEEDS:
            ids = statistics.counted.index[statistics.counted["configuration"] == name]
            for _, run in history[history["run_id"].isin(ids)].groupby("run_id"):
                axes.plot(run["epoch"], run[column] * scale, color=color, lw=0.5, alpha=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_budget(data: FigureData) -> Figure:
    """How well the ranking after few epochs predicts the final one."""
    statistics = data.statistics
    table = budget_correlation(statistics.history, statistics.counted, statistics.metric)
    figure = new_figure(3.4)
    left, right = figure.subplots(1, 2)
    left.plot(table["epoch"], table["correlation"], "o-", ms=4, color=PALETTE[0])
    left.set(
        xlabel="epoch k",
        ylabel="Spearman's rank correlation",
        ylim=(min(-0.05, table["correlation"].min() - 0.05), 1.05),
    )
    left.set_title("Ranking at epoch k against the final one", fontweight="normal")
    unit = statistics.metric.difference_unit
    right.plot(
        table["epoch"], table["cost"] * statistics.metric.scale, "o-", ms=4, color=PALETTE[1]
    )
    right.set(xlabel="epoch k", ylabel=f"{statistics.metric.label} lost ({unit})")
    right.set_ylim(
        0, max(1.1 * table["cost"].max() * statistics.metric.scale, 0.01 * statistics.metric.scale)
    )
    right.set_title("Cost of choosing at epoch k", fontweight="normal")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    cost = "Cost: how far the leader at epoch k ends behind the best."
    note = f"By mean validation accuracy of {seeds_label(statistics)} at epoch k. {cost}"
    size = int(table["configurations"].iloc[0])
    title(figure, f"Would fewer epochs have given the same ranking? ({size} configurations)", note)
    return figure
