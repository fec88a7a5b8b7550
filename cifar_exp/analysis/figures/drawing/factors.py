"""What the factors do: interaction, heatmap, importance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.factors import (
    importance_terms,
    interaction_lines,
    interval_of,
    top_pair,
)
from cifar_exp.analysis.figures.content.words import rest_label, seeds_label
from cifar_exp.analysis.figures.drawing.encoding import encoding
from cifar_exp.analysis.figures.drawing.style import (
    ACCENT,
    ALARM,
    GRAY,
    INK,
    PANEL_INCHES,
    Color,
    brief,
    metric_colors,
    metric_label,
    name_levels,
    new_figure,
    title,
    title_and_legend,
    wrap,
)
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.metric import Metric

COLUMN_LETTERS = 11  # of a heatmap's column
DODGE = 0.04  # of the distance between two levels, so that bars do not hide each other


def draw_heatmap(data: FigureData) -> Figure:
    """The mean at each pair of levels of the two most important factors."""
    statistics = data.statistics
    first, second, table = top_pair(statistics)
    means = _spread(table, first, second, "mean") * statistics.metric.scale
    texts = table.assign(text=[_cell(row, table, statistics.metric) for _, row in table.iterrows()])
    labels = _spread(texts, first, second, "text").fillna("")
    figure = new_figure(1.6 + 0.5 * len(means), min(8.0, 3.2 + 0.95 * len(means.columns)))
    axes = figure.subplots()
    look = {"cmap": metric_colors(statistics), "linewidths": 1.5, "fmt": ""}
    bar = {"label": metric_label(statistics)}
    sns.heatmap(means, annot=labels, ax=axes, cbar_kws=bar, annot_kws={"size": 10}, **look)
    axes.set(xlabel=second.name, ylabel=first.name)
    axes.tick_params(length=0, rotation=0)
    axes.set_yticklabels([brief(level) for level in means.index])
    axes.set_xticklabels([wrap(level, COLUMN_LETTERS) for level in means.columns])
    _frame_best(axes, means, statistics.metric)
    text = f"{statistics.metric.label.capitalize()} by {first.name} and {second.name}"
    note = f"Framed: the best. {_interval_note(table, statistics)}"
    title(figure, f"{text}{rest_label(statistics, (first, second))}", note.strip())
    return figure


def _spread(table: pd.DataFrame, first: Factor, second: Factor, values: str) -> pd.DataFrame:
    """A row per level of the first factor, a column per level of the second."""
    wide = table.pivot(index="first", columns="second", values=values)
    rows = [level for level in first.levels if level in wide.index]
    return wide.loc[rows, [level for level in second.levels if level in wide.columns]]


def _cell(row: pd.Series, table: pd.DataFrame, metric: Metric) -> str:
    size = f"\nn={row['n']:.0f}" if table["n"].nunique() > 1 else ""
    return f"{row['mean'] * metric.scale:.{metric.digits - 1}f}{size}"


def _frame_best(axes: Axes, means: pd.DataFrame, metric: Metric) -> None:
    values = means.to_numpy() * metric.sign
    row, column = np.unravel_index(int(np.nanargmax(values)), values.shape)
    look: dict[str, Any] = {"fill": False, "edgecolor": ALARM, "lw": 2.5, "clip_on": False}
    axes.add_patch(Rectangle((float(column), float(row)), 1, 1, **look))


def _interval_note(table: pd.DataFrame, statistics: GroupStatistics) -> str:
    """How certain the means are, in one number where it is one."""
    halves = ((table["high"] - table["low"]) / 2 * statistics.metric.scale).dropna()
    if not len(halves):
        return ""
    digits, unit = statistics.metric.digits, statistics.metric.difference_unit
    ends = sorted({f"{half:.{digits}f}" for half in (halves.min(), halves.max())})
    return f"{interval_of(statistics).capitalize()}: ±{' to '.join(ends)} {unit}."


def draw_interaction(data: FigureData) -> Figure:
    """A line for each level of one factor, over the levels of the other."""
    statistics = data.statistics
    lines, over, table = interaction_lines(statistics)
    coded = encoding(statistics)
    figure = new_figure(4.2)
    axes = figure.subplots()
    ticks = [level for level in over.levels if level in set(table["over"])]
    levels = [level for level in lines.levels if level in set(table["line"])]
    for i, level in enumerate(levels):
        own = table[table["line"] == level].set_index("over").reindex(ticks).dropna(subset="mean")
        x = [ticks.index(tick) + DODGE * (i - (len(levels) - 1) / 2) for tick in own.index]
        _draw_line(axes, x, own, coded.of_level(lines, level), statistics)
    name_levels(axes, ticks, PANEL_INCHES)
    axes.set_xlim(-0.3, len(ticks) - 0.7)
    axes.set(xlabel=over.name, ylabel=metric_label(statistics))
    handles = coded.legend_of(lines, levels)
    has_bars = table["low"].notna().any()
    bars = f"Bars: {interval_of(statistics)}. " if has_bars else ""
    note = f"{bars}Parallel lines: no interaction. {seeds_label(statistics).capitalize()}."
    text = f"Effect of {over.name} at each {lines.name}{rest_label(statistics, (lines, over))}"
    title_and_legend(figure, text, note, handles)
    return figure


def _draw_line(
    axes: Axes, x: list[float], own: pd.DataFrame, style: Any, statistics: GroupStatistics
) -> None:
    reach = np.array([own["mean"] - own["low"], own["high"] - own["mean"]])
    bars = {"yerr": np.nan_to_num(reach) * statistics.metric.scale, "capsize": 3}
    look = {"color": style.color, "marker": style.marker, "linestyle": style.dash, "ms": 6, "lw": 2}
    axes.errorbar(x, own["mean"] * statistics.metric.scale, **bars, **look)


def draw_importance(data: FigureData) -> Figure:
    """How far each factor moves the metric, and how much of the variance each term explains."""
    metric, terms, method = data.statistics.metric, *importance_terms(data.statistics)
    figure = new_figure(1.7 + 0.3 * len(terms))
    left, right = figure.subplots(1, 2, sharey=True)
    ranges = terms["range"] * metric.scale
    _draw_bars(left, ranges, [f"{size:.{metric.digits - 1}f}" for size in ranges], ACCENT)
    shares = terms["share"] * 100
    ends = np.fmax(shares, terms["high"] * 100)
    _draw_bars(right, shares, [f"{share:.1f}" for share in shares], GRAY, ends)
    right.hlines(terms.index, terms["low"] * 100, terms["high"] * 100, color=INK, lw=1.5)
    left.set_yticks(range(len(terms)), terms["term"])
    left.set_ylim(len(terms) - 0.4, -0.6)
    left.set_xlabel(f"range ({metric.difference_unit})")
    right.set_xlabel("share of the variance (%)")
    right.set_xlim(0, 115)
    line = "; line: its 95 % interval, corrected for chance" if terms["low"].notna().any() else ""
    note = (
        f"{method[0].upper()}{method[1:]}. Range: the highest mean of a level minus the lowest. "
        f"Share: of the variance between configurations{line}. Both hold for these levels only."
    )
    title(figure, f"How far each factor moves the {metric.label}", note)
    return figure


def _draw_bars(
    axes: Axes,
    sizes: pd.Series,
    labels: Sequence[str],
    color: Color,
    ends: pd.Series | None = None,
) -> None:
    """A bar with its number, behind its end, for each size that is known."""
    behind = sizes if ends is None else ends
    for y, (size, end, label) in enumerate(zip(sizes, behind, labels, strict=True)):
        if size == size:
            axes.barh(y, size, color=color, height=0.6)
            axes.annotate(f" {label}", (end, y), fontsize=9, va="center")
    axes.set_xlim(0, 1.15 * sizes.max())
