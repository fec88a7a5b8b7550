"""The scatter between seeds, and which differences can be detected in spite of it."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.drawing.style import (
    ACCENT,
    GRAY,
    INK,
    log_axis,
    new_figure,
    title,
)
from cifar_exp.analysis.statistics.configurations import residuals
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

MOST_SEEDS = 30  # that anybody would train


def draw_noise(data: FigureData) -> Figure:
    """How much seeds of a configuration differ, and which difference n seeds can detect."""
    statistics, (sd, df) = data.statistics, data.statistics.noise
    figure = new_figure(3.6)
    has_power = len(statistics.resolution) > 0
    panels = figure.subplots(1, 1 + has_power, squeeze=False).ravel()
    repeated = _draw_residuals(panels[0], statistics)
    if has_power:
        _draw_resolution(panels[1], statistics)
    unit, metric = statistics.metric.difference_unit, statistics.metric
    pooled = f"{sd * metric.scale:.{metric.digits}f} {unit}, {df} degrees of freedom"
    note = f"Left, gray: one SD, pooled over configurations: {pooled}."
    if has_power:
        note += (
            " Right: the true difference between two configurations that is detected with 80 % "
            "power, by the test of the table of comparisons."
        )
    title(figure, f"Scatter between seeds of {repeated} configurations", note)
    return figure


def _draw_residuals(axes: Axes, statistics: GroupStatistics) -> int:
    """Returns the number of configurations drawn."""
    scale, sd = statistics.metric.scale, statistics.noise[0]
    table = residuals(statistics.counted)
    ranks = table["configuration"].map(statistics.summary.set_index("configuration")["rank"])
    axes.axhspan(-sd * scale, sd * scale, color=GRAY, alpha=0.35, lw=0)
    axes.plot(ranks, table["residual"] * scale, "o", ms=4, color=ACCENT, alpha=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    unit = statistics.metric.difference_unit
    axes.set(xlabel="configuration, by rank", ylabel=f"run minus mean ({unit})")
    return int(ranks.nunique())


def _draw_resolution(axes: Axes, statistics: GroupStatistics) -> None:
    table = statistics.resolution[statistics.resolution["seeds"] <= MOST_SEEDS]
    scale, unit = statistics.metric.scale, statistics.metric.difference_unit
    axes.plot(table["seeds"], table["resolvable"] * scale, "o-", ms=4, color=ACCENT)
    here = table[table["seeds"] == statistics.seeds]
    for row in here.itertuples():
        x, y = row.seeds, row.resolvable * scale
        axes.plot(x, y, "o", ms=11, mfc="none", color=INK)
        where: dict[str, Any] = {"xytext": (9, 4), "textcoords": "offset points", "fontsize": 9}
        axes.annotate(
            f"{statistics.seeds} seeds: {y:.{statistics.metric.digits}f} {unit}", (x, y), **where
        )
    log_axis(axes, "x")
    axes.set_xticks(table["seeds"], [f"{seeds}" for seeds in table["seeds"]])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 1.2 * table["resolvable"].max() * scale)
    axes.set(xlabel="seeds of each configuration", ylabel=f"detectable difference ({unit})")
