"""What the best configuration mistakes for what, and how well its confidence is calibrated."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.predictions import confusion_table, pairs_table
from cifar_exp.analysis.figures.drawing.style import ALARM, GRAY, INK, PALETTE, new_figure, title
from cifar_exp.analysis.statistics.confusion import calibration_error, reliability
from cifar_exp.text import counted


def draw_confusion(data: FigureData) -> Figure:
    """The confusion matrix of the superclasses, or of the classes if there are few."""
    kind, shares = confusion_table(data)
    table = shares * 100
    size = max(5.0, 2.8 + 0.26 * len(table))
    figure = new_figure(size - 0.3, min(8.0, size + 0.6))
    axes = figure.subplots()
    _draw_matrix(axes, table)
    axes.set(xlabel=f"predicted {kind}", ylabel=f"true {kind}")
    note = "Each row adds up to 100 %. Neighbors are often confused." + _over(data)
    title(figure, f"Confusion matrix of {data.statistics.best}", note)
    return figure


def _over(data: FigureData) -> str:
    seeds = len(data.best_runs)
    return f" Over {counted(seeds, 'seed')}." if seeds > 1 else ""


def _draw_matrix(axes: Axes, table: pd.DataFrame) -> None:
    """The colors end at the largest error, because the diagonal would hide all others."""
    mistakes = table.to_numpy()[~np.eye(len(table), dtype=bool)]
    top = max(float(np.nanmax(mistakes)), 1.0)
    bar = {"label": f"% of the row's test images (color ends at {top:.0f})", "shrink": 0.7}
    style = {"cmap": "rocket_r", "linewidths": 0.3, "square": True}
    ticks = {"xticklabels": True, "yticklabels": True}
    sns.heatmap(table, ax=axes, cbar_kws=bar, vmin=0, vmax=top, **style, **ticks)
    _mark(axes, table, top)
    axes.tick_params(axis="x", rotation=90, length=0)
    axes.tick_params(axis="y", rotation=0, length=0)


def _mark(axes: Axes, table: pd.DataFrame, top: float) -> None:
    """Write the numbers on the diagonal and those of the larger errors: few, so not by seaborn."""
    for row, values in enumerate(table.to_numpy()):
        for column, value in enumerate(values):
            if value >= top / 4 or (row == column and value == value):
                color = "white" if value > 0.35 * top else "0.1"
                where: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 6.5}
                axes.text(column + 0.5, row + 0.5, f"{value:.0f}", color=color, **where)


def draw_pairs(data: FigureData) -> Figure:
    """The pairs of classes that are confused most often."""
    table = pairs_table(data)
    figure = new_figure(1.8 + 0.26 * len(table))
    axes = figure.subplots()
    _draw_pair_bars(axes, table)
    names = [f"{a} - {b}" for a, b in zip(table["first"], table["second"], strict=True)]
    axes.set_yticks(range(len(table)), names)
    axes.set_xlabel("share of the test images of both classes (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    note = f"Test images of both classes that are mistaken for the other one.{_over(data)}"
    title(figure, f"Classes that {data.statistics.best} confuses most often", note)
    return figure


def _draw_pair_bars(axes: Axes, table: pd.DataFrame) -> None:
    y = np.arange(len(table))
    first, second = (table[name] / table["total"] * 100 for name in ("as_second", "as_first"))
    labels = ("the first mistaken for the second", "the second mistaken for the first")
    axes.barh(y, first, color=PALETTE[0], height=0.65, label=labels[0])
    axes.barh(y, second, left=first, color=PALETTE[1], height=0.65, label=labels[1])
    axes.set_ylim(len(table) - 0.4, -0.6)


def draw_reliability(data: FigureData) -> Figure:
    """Accuracy by confidence, with the uncertainty that the number of images leaves."""
    table = reliability(data.predictions, len(data.best_runs))
    figure = new_figure(4.8, 6.0)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    left, width = table["low"] * 100, (table["high"] - table["low"]) * 100
    bars: dict[str, Any] = {"align": "edge", "edgecolor": "white"}
    axes.bar(left, table["accuracy"] * 100, width, color=PALETTE[0], **bars)
    reach = [table["accuracy"] - table["lowest"], table["highest"] - table["accuracy"]]
    look: dict[str, Any] = {"fmt": "none", "ecolor": INK, "elinewidth": 1.2, "capsize": 2}
    axes.errorbar(left + width / 2, table["accuracy"] * 100, np.array(reach) * 100, **look)
    ideal: dict[str, Any] = {"color": ALARM, "lw": 1.5, "linestyle": (0, (5, 2))}
    axes.plot([0, 100], [0, 100], label="perfect calibration", **ideal)
    axes.set(ylabel="accuracy (%)", ylim=(0, 100), xlim=(0, 100))
    axes.legend(loc="upper left")
    below.bar(left, table["images"] / len(data.best_runs), width, color=GRAY, **bars)
    below.set(xlabel="confidence (%)", ylabel="test images")
    error = f"Calibration error: {calibration_error(table) * 100:.1f} pp."
    note = f"{error} Error bars: 95 % interval (Wilson).{_over(data)}"
    title(figure, f"Calibration of {data.statistics.best}", note)
    return figure
