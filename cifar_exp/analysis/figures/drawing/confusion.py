"""Which classes the best run confuses, and how well its confidence is calibrated."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.predictions import confused_groups
from cifar_exp.analysis.figures.drawing.style import GRAY, INK, PALETTE, new_figure, title
from cifar_exp.analysis.statistics.confusion import (
    calibration_error,
    confused_pairs,
    confusion,
    reliability,
)


def draw_confusion(data: FigureData) -> Figure:
    """The confusion matrix of the superclasses, or of the classes if there are few."""
    kind, groups = confused_groups(data)
    table = confusion(data.predictions, groups) * 100
    size = max(5.0, 3.2 + 0.26 * len(table))
    figure = new_figure(size - 0.6, size + 0.6)
    axes = figure.subplots()
    _draw_matrix(axes, table)
    axes.set(xlabel=f"predicted {kind}", ylabel=f"true {kind}")
    title(figure, f"Confusion matrix of {data.statistics.best}")
    return figure


def _draw_matrix(axes: Axes, table: pd.DataFrame) -> None:
    """The colors end at the largest error, because the diagonal would hide all others."""
    mistakes = table.to_numpy()[~np.eye(len(table), dtype=bool)]
    top = max(float(np.nanmax(mistakes)), 1.0) if len(mistakes) else 100.0
    bar = {"label": f"% of the row's test images (color ends at {top:.0f})", "shrink": 0.7}
    style = {"cmap": "rocket_r", "linewidths": 0.3, "square": True, "annot_kws": {"size": 6.5}}
    ticks = {"xticklabels": True, "yticklabels": True}
    labels, ends = _marked(table, top), {"vmin": 0, "vmax": top}
    sns.heatmap(table, annot=labels, fmt="", ax=axes, cbar_kws=bar, **style, **ticks, **ends)
    axes.tick_params(axis="x", rotation=90, length=0)
    axes.tick_params(axis="y", rotation=0, length=0)


def _marked(table: pd.DataFrame, top: float) -> np.ndarray:
    values = table.to_numpy()
    keep = (values >= top / 4) | np.eye(len(table), dtype=bool)
    return np.where(keep & ~np.isnan(values), np.char.mod("%.0f", np.nan_to_num(values)), "")


def draw_pairs(data: FigureData) -> Figure:
    """The pairs of classes that are confused most often."""
    table = confused_pairs(data.predictions, data.best_runs[0].record.dataset.class_names)
    figure = new_figure(1.4 + 0.28 * len(table))
    axes = figure.subplots()
    _draw_pair_bars(axes, table)
    names = [f"{a} - {b}" for a, b in zip(table["first"], table["second"], strict=True)]
    axes.set_yticks(range(len(table)), names)
    axes.set_xlabel("test images (and their share of both classes' images)")
    axes.legend(loc="lower right", frameon=True)
    title(figure, f"Classes that {data.statistics.best} confuses most often")
    return figure


def _draw_pair_bars(axes: Axes, table: pd.DataFrame) -> None:
    left, y = table["as_second"], np.arange(len(table))
    labels = ("the first predicted as the second", "the second predicted as the first")
    axes.barh(y, left, color=PALETTE[0], height=0.65, label=labels[0])
    axes.barh(y, table["as_first"], left=left, color=PALETTE[1], height=0.65, label=labels[1])
    for height, images, share in zip(y, table["images"], table["share"], strict=True):
        axes.annotate(f" {share:.0%}", (images, height), va="center", fontsize=8)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.margins(x=0.1)


def draw_reliability(data: FigureData) -> Figure:
    """Accuracy by confidence."""
    table = reliability(data.predictions)
    figure = new_figure(4.4, 5.6)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    left, width = table["low"] * 100, (table["high"] - table["low"]) * 100
    bars: dict[str, Any] = {"align": "edge", "edgecolor": "white"}
    axes.bar(left, table["accuracy"] * 100, width, color=PALETTE[0], **bars)
    ideal: dict[str, Any] = {"color": INK, "lw": 1, "linestyle": (0, (5, 2))}
    axes.plot([0, 100], [0, 100], label="perfect calibration", **ideal)
    axes.set(ylabel="accuracy (%)", ylim=(0, 100), xlim=(0, 100))
    axes.legend(loc="upper left")
    below.bar(left, table["images"], width, color=GRAY, **bars)
    below.set(xlabel="confidence (%)", ylabel="test images")
    error = f"(calibration error {calibration_error(table) * 100:.1f} pp)"
    title(figure, f"Calibration of {data.statistics.best} {error}")
    return figure
