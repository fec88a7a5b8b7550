"""What the factors do: heatmap, interaction, importance, ablation path, parallel coordinates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.style import (
    GRAY,
    INK,
    PALETTE,
    FigureSkipped,
    metric_label,
    new_figure,
    seeds_label,
    title,
    wrap,
)
from cifar_exp.analysis.statistics.ablation import cheapest, path_to_best
from cifar_exp.analysis.statistics.effects import levels_within, marginal_means
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.metric import Metric

MOST_LINES = 8
MOST_TERMS = 12
MOST_TICKS = 12


def top_pair(statistics: GroupStatistics) -> tuple[Factor, Factor, pd.DataFrame]:
    """The two most important factors and the means of their levels.

    Raises FigureSkipped if there are not two factors, or their means cannot be compared.
    """
    if len(statistics.by_importance) < 2:
        raise FigureSkipped("fewer than two settings vary among the completed runs")
    first, second = statistics.by_importance[:2]
    for factor in (first, second):
        if not levels_within(statistics.counted, factor):
            raise FigureSkipped(f"{factor.name} has too many values for rows or lines")
    table = marginal_means(statistics.counted, statistics.factors, first, second)
    if not len(table):
        raise FigureSkipped(
            f"no combination of the other settings was trained at every {first.name} and "
            f"{second.name}, so a difference could be due to them"
        )
    return first, second, table


def draw_heatmap(statistics: GroupStatistics) -> Figure:
    """The two most important factors: mean, SD and number of seeds in each cell."""
    first, second, table = top_pair(statistics)
    rows, columns = (levels_within(statistics.counted, factor) for factor in (first, second))
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
    scatter = f"SD {row['sd'] * metric.scale:.{metric.digits}f}, " if row["n"] > 1 else ""
    return f"{row['mean'] * metric.scale:.{metric.digits - 1}f}\n{scatter}n={row['n']:.0f}"


def _others(statistics: GroupStatistics) -> str:
    rest = [f.name for f in statistics.by_importance[2:]]
    return f", mean over {', '.join(rest)}" if rest else ""


def draw_interaction(statistics: GroupStatistics) -> Figure:
    """A line for each level of one factor, over the levels of the other."""
    first, second, table = top_pair(statistics)
    lines = levels_within(statistics.counted, second)
    if len(lines) > MOST_LINES:
        raise FigureSkipped(f"{second.name} has more than {MOST_LINES} levels, too many lines")
    ticks = levels_within(statistics.counted, first)
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


def draw_importance(statistics: GroupStatistics) -> Figure:
    """The share of the variance between configurations that each factor explains."""
    found = statistics.importance
    if not isinstance(found, Importance):
        raise FigureSkipped(found)
    terms = found.terms.head(MOST_TERMS)
    if len(terms) == 1:
        raise FigureSkipped("only one setting varies, so it explains everything")
    figure = new_figure(1.5 + 0.36 * len(terms))
    is_plain = terms["is_resolved"] | found.is_estimated
    _draw_shares(figure.subplots(), terms, is_plain)
    noise = "" if found.is_estimated else " Dark mark: expected by chance alone."
    gray = "" if is_plain.all() else " Gray: not significant."
    note = f"{found.method[0].upper()}{found.method[1:]}.{noise}{gray}"
    title(figure, f"What explains the differences in {statistics.metric.label}", note)
    return figure


def _draw_shares(axes: Axes, terms: pd.DataFrame, is_plain: pd.Series) -> None:
    y, shares = np.arange(len(terms)), terms["share"] * 100
    colors = [PALETTE[0] if plain else GRAY for plain in is_plain]
    axes.barh(y, shares, color=colors, height=0.6)
    axes.plot(terms["noise_share"] * 100, y, "|", ms=16, mew=2, color=INK)
    where: dict[str, Any] = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
    for height, share in zip(y, shares, strict=True):
        axes.annotate(f" {share:.1f} %", (share, height), fontsize=9, **where)
    axes.set_yticks(y, terms["term"])
    axes.set_ylim(len(terms) - 0.4, -0.6)
    axes.set_xlim(0, 115)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("share of the variance between configurations (%)")


def draw_path(statistics: GroupStatistics) -> Figure:
    """Single changes from the baseline, or the cheapest configuration, to the best."""
    if statistics.best is None or not statistics.factors:
        raise FigureSkipped("there are no two configurations with completed runs")
    start = statistics.baseline or cheapest(statistics.summary, statistics.factors)
    start_name = "the baseline" if statistics.baseline else "the cheapest configuration"
    path = path_to_best(statistics.summary, statistics.factors, start, statistics.metric)
    if len(path) < 2:
        raise FigureSkipped(f"{start_name} is the best, or no single change from it was trained")
    figure = new_figure(1.7 + 0.5 * len(path))
    axes = figure.subplots()
    _draw_steps(axes, path, statistics.metric)
    labels = [wrap(text) for text in (f"from {start}", *path["change"][1:])]
    axes.set_yticks(range(len(path)), labels)
    axes.set_xlabel(metric_label(statistics))
    end = "to the best" if path["is_complete"].iloc[0] else "as far as it was trained"
    note = f"Means of {seeds_label(statistics)}."
    title(figure, f"One change at a time, from {start_name} {end}", note)
    return figure


def _draw_steps(axes: Axes, path: pd.DataFrame, metric: Metric) -> None:
    means, y = path["mean"] * metric.scale, np.arange(len(path))
    axes.plot(means, y, "-", color=GRAY, lw=2, zorder=1)
    axes.plot(means, y, "o", ms=8, color=PALETTE[0])
    where: dict[str, Any] = {"xytext": (0, 9), "textcoords": "offset points", "ha": "center"}
    for height, mean, gain in zip(y[1:], means[1:], path["gain"][1:], strict=True):
        axes.annotate(metric.difference_text(gain), (mean, height), fontsize=9, **where)
    axes.set_ylim(len(path) - 0.5, -0.5)
    axes.margins(x=0.12)


def draw_parallel(statistics: GroupStatistics) -> Figure:
    """Parallel coordinates: a line per configuration, through its levels to its mean."""
    factors, table = statistics.by_importance[::-1], statistics.evaluated
    if len(factors) < 2 or len(table) < 3:
        raise FigureSkipped("fewer than two factors or three configurations")
    figure = new_figure(4.0)
    axes = figure.subplots()
    axis_levels = [_heights(factor, set(table[factor.key])) for factor in factors]
    _draw_lines(axes, statistics, factors, axis_levels)
    means, digits = table["mean"] * statistics.metric.scale, statistics.metric.digits - 1
    ends = {f"{means.min():.{digits}f}": 0.0, f"{means.max():.{digits}f}": 1.0}
    for x, heights in enumerate([*axis_levels, ends]):
        _draw_axis(axes, x, heights)
    names = [*(factor.name for factor in factors), metric_label(statistics)]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks([])
    axes.grid(visible=False)
    sns.despine(ax=axes, left=True, bottom=True)
    axes.set_xlim(-0.35, len(factors) + 0.35)
    text = f"{len(table)} configurations, from their levels to their mean"
    title(figure, text, f"Means of {seeds_label(statistics)}. Light to dark: low to high.")
    return figure


def _draw_lines(
    axes: Axes,
    statistics: GroupStatistics,
    factors: Sequence[Factor],
    axis_levels: Sequence[Mapping[str, float]],
) -> None:
    means = statistics.evaluated["mean"]
    norm = Normalize(means.min(), means.max())
    for _, row in statistics.evaluated.iloc[::-1].iterrows():  # the best on top
        points = [h[row[f.key]] for h, f in zip(axis_levels, factors, strict=True)]
        end = norm(row["mean"]) if means.nunique() > 1 else 0.5
        color = colormaps["crest"](norm(row["mean"]))
        axes.plot([*points, end], color=color, lw=1.6, alpha=0.85)


def _heights(factor: Factor, present: set[str]) -> dict[str, float]:
    """Levels evenly spaced, because a sweep's values are often chosen on another scale."""
    levels = [level for level in factor.levels if level in present]
    return {level: i / (len(levels) - 1) for i, level in enumerate(levels)}


def _draw_axis(axes: Axes, x: int, heights: Mapping[str, float]) -> None:
    axes.axvline(x, color="0.6", lw=1, zorder=0)
    step = -(-len(heights) // MOST_TICKS)
    for level, height in list(heights.items())[::step]:
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        axes.annotate(
            level,
            (x, height),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            bbox=box,
        )
