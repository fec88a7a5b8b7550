"""Every configuration with its seeds, and the noise between seeds."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.differences import MOST_ROWS
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.figures.drawing.style import (
    GRAY,
    INK,
    PALETTE,
    log_axis,
    metric_label,
    new_figure,
    title,
    wrap,
)
from cifar_exp.analysis.statistics.configurations import residuals
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics


def draw_comparison(data: FigureData) -> Figure:
    """A row per configuration, the best on top: a point per seed, mean and 95 % interval."""
    statistics = data.statistics
    table = statistics.evaluated.head(MOST_ROWS)
    names = [wrap(name) for name in table["configuration"]]
    lines = max(name.count("\n") + 1 for name in names)
    figure = new_figure(1.4 + (0.11 + 0.16 * lines) * len(table))
    axes = figure.subplots()
    for y, (_, row) in enumerate(table.iterrows()):
        is_own = statistics.counted["configuration"] == row["configuration"]
        _draw_row(axes, y, row, statistics.counted["value"][is_own], statistics.metric.scale)
    axes.set_yticks(range(len(table)), names)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlabel(metric_label(statistics))
    which = _which(len(table), len(statistics.evaluated))
    text = f"{statistics.metric.label.capitalize()} of {which}, {seeds_label(statistics)}"
    note = (
        "Circles: seeds. Diamond: their mean. Line: 95 % interval of the mean, none for one seed."
    )
    title(figure, text, note)
    return figure


def _draw_row(axes: Axes, y: int, row: pd.Series, values: pd.Series, scale: float) -> None:
    axes.plot(values * scale, [y] * len(values), "o", ms=5, mfc="none", color=INK, alpha=0.8)
    ends = [row["ci_low"] * scale, row["ci_high"] * scale]
    axes.plot(ends, [y, y], color=PALETTE[0], lw=2)
    axes.plot(row["mean"] * scale, y, "D", ms=5, color=PALETTE[0])
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
    axes.annotate(f"n={int(row['n'])}", (1.01, y), fontsize=8, color=INK, **where)


def _which(shown: int, total: int) -> str:
    if shown < total:
        return f"the best {shown} of {total} configurations"
    return f"{total} configuration{'s' if total > 1 else ''}"


def draw_noise(data: FigureData) -> Figure:
    """How much seeds of one configuration differ, and which difference n seeds can detect."""
    statistics, df = data.statistics, data.statistics.noise[1]
    figure = new_figure(3.6)
    left, right = figure.subplots(1, 2)
    repeated = _draw_residuals(left, statistics)
    _draw_power(right, statistics)
    note = (
        "Gray: one SD, pooled over the configurations. Right: the smallest true difference between "
        "two configurations that this many seeds of each detect with 80 % power, at the same "
        "simultaneous level as the comparisons."
    )
    title(
        figure, f"Noise between seeds of {repeated} configurations ({df} degrees of freedom)", note
    )
    return figure


def _draw_residuals(axes: Axes, statistics: GroupStatistics) -> int:
    """Returns the number of configurations drawn."""
    scale, unit, sd = (
        statistics.metric.scale,
        statistics.metric.difference_unit,
        statistics.noise[0],
    )
    table = residuals(statistics.counted)
    ranks = table["configuration"].map(statistics.summary.set_index("configuration")["rank"])
    axes.axhspan(-sd * scale, sd * scale, color=GRAY, alpha=0.35, lw=0)
    axes.plot(ranks, table["residual"] * scale, "o", ms=4, color=PALETTE[0], alpha=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="configuration, by rank", ylabel=f"run minus mean ({unit})")
    axes.set_title(
        f"SD of a run: {sd * scale:.{statistics.metric.digits}f} {unit}", fontweight="normal"
    )
    return int(ranks.nunique())


def _draw_power(axes: Axes, statistics: GroupStatistics) -> None:
    table = statistics.resolution
    sizes = table["resolvable"] * statistics.metric.scale
    axes.plot(table["seeds"], sizes, "o-", ms=4, color=PALETTE[1])
    log_axis(axes, "y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    unit = statistics.metric.difference_unit
    axes.set(xlabel="seeds of each configuration", ylabel=f"smallest difference ({unit})")
    axes.set_title("Detectable difference", fontweight="normal")
