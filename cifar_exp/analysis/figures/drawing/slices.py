"""Slices: the metric by the value of each factor, over whatever the others were."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.slices import sliced_factors
from cifar_exp.analysis.figures.drawing.encoding import encoding
from cifar_exp.analysis.figures.drawing.style import (
    ACCENT,
    INK,
    LETTER_INCHES,
    PALETTE,
    PANEL_INCHES,
    Color,
    brief,
    log_axis,
    metric_label,
    name_levels,
    new_figure,
    title_and_legend,
)
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.slices import is_logarithmic, places, slice_means

TICKS = 5  # at most, of a number
EDGE = 0.08  # of the range of the runs: how far the axis reaches beyond them
BOTTOM = 0.03  # of the height of the axes: where paused runs are
PALE = (0.55, 0.55, 0.55)
MANY = 50  # runs, whose points are drawn smaller

Colors = dict[tuple[str, str], Color]


def draw_slices(data: FigureData) -> Figure:
    """A point per run; the surrogate where there is one, else the mean of each level."""
    statistics = data.statistics
    factors = sliced_factors(statistics)
    columns = 2 if len(factors) in (2, 4) else min(3, len(factors))
    rows = -(-len(factors) // columns)
    figure = new_figure(1.2 + 2.4 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    colors = _colors(statistics, factors)
    for axes, factor in zip(grid.ravel(), factors, strict=False):
        _draw_slice(axes, statistics, factor, colors)
        _set_axis(axes, statistics, factor, PANEL_INCHES / columns)
    for axes in grid.ravel()[len(factors) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel(metric_label(statistics))
    runs, label = len(statistics.counted), statistics.metric.label
    text = f"{label.capitalize()} of {runs} runs by the value of each factor"
    title_and_legend(figure, text, _note(statistics, factors), _handles(colors))
    return figure


def _note(statistics: GroupStatistics, factors: list[Factor]) -> str:
    keys = [factor.key for factor in factors]
    note = "Points: runs; star: the best. "
    if len(statistics.paused.runs):
        note += "Hollow, at the bottom: paused runs. "
    if set(statistics.trends["setting"]) & set(keys):
        note += "Lines: Gaussian process, averaged over the other factors, with its 95 % band. "
    else:
        note += "Lines: means of runs, with 95 % intervals. "
    if set(statistics.regions["setting"]) & set(keys):
        note += "Shaded: values that may be the best."
    return note.strip()


def _colors(statistics: GroupStatistics, factors: list[Factor]) -> Colors:
    """A color for each level of another factor on which a trend depends, by its name and level."""
    coded, names = encoding(statistics), [factor.key for factor in factors]
    own = statistics.trends[statistics.trends["setting"].isin(names)]
    pairs = own[["other_name", "other_level"]].drop_duplicates().itertuples(index=False)
    split = [(str(name), str(level)) for name, level in pairs if name]
    known = (
        {(coded.color.name, level): c for level, c in coded.colors.items()} if coded.color else {}
    )
    spare = dict(zip((pair for pair in split if pair not in known), PALETTE[1:], strict=False))
    return {pair: known.get(pair, spare.get(pair, INK)) for pair in split}


def _handles(colors: Colors) -> list[Line2D]:
    return [
        Line2D([], [], color=color, lw=2, label=f"{name} {brief(level)}")
        for (name, level), color in colors.items()
    ]


def _draw_slice(axes: Axes, statistics: GroupStatistics, factor: Factor, colors: Colors) -> None:
    counted, scale = statistics.counted, statistics.metric.scale
    x = places(counted[factor.key], factor)
    look: dict[str, Any] = {"ms": 3 if len(counted) > MANY else 4, "alpha": 0.3, "mew": 0}
    axes.plot(x, counted["value"] * scale, "o", color=INK, **look)
    trend = statistics.trends[statistics.trends["setting"] == factor.key]
    if len(trend):
        for pair, own in trend.groupby(["other_name", "other_level"], sort=False):
            _draw_trend(axes, own, statistics, colors.get(pair, ACCENT))
    else:
        _draw_means(axes, slice_means(counted, factor), scale, factor.is_numeric)
    _draw_paused(axes, statistics, factor)
    best = statistics.best_run
    axes.plot(x[best], counted.loc[best, "value"] * scale, "*", ms=11, color=ACCENT, mec="white")


def _draw_paused(axes: Axes, statistics: GroupStatistics, factor: Factor) -> None:
    """Where runs were paused: hollow circles at the bottom, because they have no final value."""
    x = places(statistics.paused.runs[factor.key], factor)
    look: dict[str, Any] = {"ms": 3.5, "mfc": "white", "mec": PALE, "mew": 0.8}
    axes.plot(x, [BOTTOM] * len(x), "o", transform=axes.get_xaxis_transform(), **look)


def _draw_trend(axes: Axes, trend: pd.DataFrame, statistics: GroupStatistics, color: Color) -> None:
    """The surrogate's mean with its band; shaded, the values that may be the best."""
    scale, regions = statistics.metric.scale, statistics.regions
    axes.plot(trend["value"], trend["mean"] * scale, color=color, lw=2)
    ends = trend["low"] * scale, trend["high"] * scale
    axes.fill_between(trend["value"], *ends, color=color, alpha=0.25, lw=0)
    keys = ["setting", "other_name", "other_level"]
    own = regions[(regions[keys] == trend[keys].iloc[0]).all(axis=1)]
    for low, high in own[["low", "high"]].astype(float).itertuples(index=False):
        axes.axvspan(low, high, color=color, alpha=0.12, lw=0)


def _draw_means(axes: Axes, table: pd.DataFrame, scale: float, has_line: bool) -> None:
    reach = np.nan_to_num(table["high"] - table["mean"]) * scale
    look: dict[str, Any] = {"color": ACCENT, "lw": 2, "elinewidth": 1.5, "ms": 5}
    line = "-" if has_line else ""
    axes.errorbar(table["center"], table["mean"] * scale, reach, fmt=f"o{line}", **look)


def _set_axis(axes: Axes, statistics: GroupStatistics, factor: Factor, inches: float) -> None:
    x = places(statistics.counted[factor.key], factor)
    if not factor.is_numeric:
        name_levels(axes, factor.levels, inches)
        axes.margins(x=0.15)
    elif is_logarithmic(x):
        log_axis(axes, "x")
    else:
        letters = max(len(f"{value:g}") for value in (x.min(), (x.min() + x.max()) / 2, x.max()))
        axes.xaxis.set_major_locator(
            MaxNLocator(int(min(max(1, inches / LETTER_INCHES / letters), TICKS)))
        )
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel(factor.name)
    values = statistics.counted["value"] * statistics.metric.scale
    margin = EDGE * float(np.ptp(values)) or 1.0
    axes.set_ylim(values.min() - margin, values.max() + margin)  # a wide interval may leave it
