"""What the factors do: heatmap, interaction, importance."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.factors import top_pair
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.figures.drawing.style import (
    PALETTE,
    metric_label,
    new_figure,
    title,
)
from cifar_exp.analysis.statistics.contrasts import present_levels
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.metric import Metric

MOST_TERMS = 12


def draw_heatmap(data: FigureData) -> Figure:
    """The two most important factors: mean and number of runs in each cell."""
    statistics = data.statistics
    first, second, table = top_pair(statistics)
    rows, columns = (present_levels(statistics.counted, factor) for factor in (first, second))
    means = table.pivot(index="first", columns="second", values="mean").loc[rows, columns]
    texts = {(r["first"], r["second"]): _cell(r, statistics.metric) for _, r in table.iterrows()}
    labels = np.array([[texts.get((a, b), "") for b in columns] for a in rows])
    figure = new_figure(1.4 + 0.62 * len(rows), min(8.0, 2.9 + 1.15 * len(columns)))
    axes = figure.subplots()
    style = {"cmap": "viridis", "linewidths": 1.5, "annot_kws": {"size": 9}, "fmt": ""}
    bar = {"label": metric_label(statistics)}
    sns.heatmap(means * statistics.metric.scale, annot=labels, ax=axes, cbar_kws=bar, **style)
    axes.set(xlabel=second.name, ylabel=first.name)
    axes.tick_params(length=0, rotation=0)
    what = f"{first.name} x {second.name}{_others(statistics)}"
    title(figure, f"{statistics.metric.label.capitalize()}: {what}")
    return figure


def _cell(row: pd.Series, metric: Metric) -> str:
    return f"{row['mean'] * metric.scale:.{metric.digits - 1}f}\nn={row['n']:.0f}"


def _others(statistics: GroupStatistics) -> str:
    rest = [f.name for f in statistics.by_importance[2:]]
    return f", mean over {', '.join(rest)}" if rest else ""


def draw_interaction(data: FigureData) -> Figure:
    """A line for each level of one factor, over the levels of the other."""
    statistics = data.statistics
    first, second, table = top_pair(statistics)
    lines = present_levels(statistics.counted, second)
    ticks = present_levels(statistics.counted, first)
    figure = new_figure(3.8)
    axes = figure.subplots()
    scale = statistics.metric.scale
    for i, level in enumerate(lines):
        of_level = table[table["second"] == level].set_index("first")
        own = of_level.reindex(ticks).dropna(subset="mean")
        offset = 0.03 * (i - (len(lines) - 1) / 2)  # so that bars do not hide each other
        x = [ticks.index(tick) + offset for tick in own.index]
        reach = np.array([own["mean"] - own["low"], own["high"] - own["mean"]])
        bars = np.nan_to_num(reach) * scale
        style = {"color": PALETTE[i], "marker": "osD^vP*X"[i], "ms": 5, "capsize": 3}
        axes.errorbar(x, own["mean"] * scale, yerr=bars, label=level, **style)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set(xlabel=first.name, ylabel=metric_label(statistics))
    figure.legend(title=second.name, loc="outside right center")
    bars_are = f"Bars: 95 % interval of the mean over {seeds_label(statistics)}."
    note = f"{bars_are} Parallel lines: no interaction."
    title(figure, f"Effect of {second.name} at each {first.name}{_others(statistics)}", note)
    return figure


def draw_importance(data: FigureData) -> Figure:
    """The share of the variance between configurations that each factor explains."""
    statistics = data.statistics
    found = statistics.importance
    assert isinstance(found, Importance)
    terms = found.terms.head(MOST_TERMS)
    figure = new_figure(1.5 + 0.36 * len(terms))
    _draw_shares(figure.subplots(), terms)
    note = f"{found.method[0].upper()}{found.method[1:]}."
    title(figure, f"What explains the differences in {statistics.metric.label}", note)
    return figure


def _draw_shares(axes: Axes, terms: pd.DataFrame) -> None:
    y, shares = np.arange(len(terms)), terms["share"] * 100
    axes.barh(y, shares, color=PALETTE[0], height=0.6)
    where: dict[str, Any] = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
    for height, share in zip(y, shares, strict=True):
        axes.annotate(f" {share:.1f} %", (share, height), fontsize=9, **where)
    axes.set_yticks(y, terms["term"])
    axes.set_ylim(len(terms) - 0.4, -0.6)
    axes.set_xlim(0, 115)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("share of the variance between configurations (%)")
