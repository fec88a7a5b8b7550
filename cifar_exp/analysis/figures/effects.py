"""What the settings do: heatmap, interaction, importance, single changes."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.style import (
    GREY,
    INK,
    PALETTE,
    FigureSkipped,
    metric_label,
    new_figure,
    seeds_label,
    title,
    wrapped,
)
from cifar_exp.analysis.statistics.effects import levels_within
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.tradeoffs import cheapest, marginal_means, path_to_best

MOST_LINES = 8
MOST_TERMS = 12


def heaviest_pair(study: GroupStatistics) -> tuple[Factor, Factor, pd.DataFrame]:
    """The two settings with most effect and the means of their levels.

    Raises FigureSkipped where two did not vary, or their means cannot be compared.
    """
    if len(study.by_weight) < 2:
        raise FigureSkipped("fewer than two settings vary among the completed runs")
    first, second = study.by_weight[:2]
    for setting in (first, second):
        if not levels_within(study.selected, setting):
            raise FigureSkipped(f"{setting.name} takes too many values to be rows or lines")
    table = marginal_means(study.selected, study.settings, first, second)
    if not len(table):
        raise FigureSkipped(
            f"no combination of the other settings was trained at every {first.name} and "
            f"{second.name}: what differs could be theirs"
        )
    return first, second, table


def draw_heatmap(study: GroupStatistics) -> Figure:
    """The two heaviest settings: mean, SD and number of seeds in each cell."""
    first, second, table = heaviest_pair(study)
    rows, columns = (levels_within(study.selected, setting) for setting in (first, second))
    means = table.pivot(index="first", columns="second", values="mean").loc[rows, columns]
    texts = {(r["first"], r["second"]): _cell(r, study.metric) for _, r in table.iterrows()}
    labels = np.array([[texts.get((a, b), "") for b in columns] for a in rows])
    figure = new_figure(1.4 + 0.62 * len(rows), min(8.0, 2.9 + 1.15 * len(columns)))
    axes = figure.subplots()
    look = {"cmap": "viridis", "linewidths": 1.5, "annot_kws": {"size": 9}, "fmt": ""}
    bar = {"label": metric_label(study)}
    sns.heatmap(means * study.metric.scale, annot=labels, ax=axes, cbar_kws=bar, **look)
    axes.set(xlabel=second.name, ylabel=first.name)
    axes.tick_params(length=0, rotation=0)
    what = f"{first.name} x {second.name}{_others(study)}"
    title(figure, f"{study.metric.label.capitalize()}: {what}")
    return figure


def _cell(row: pd.Series, metric: Metric) -> str:
    scatter = f"SD {row['sd'] * metric.scale:.{metric.digits}f}, " if row["n"] > 1 else ""
    return f"{row['mean'] * metric.scale:.{metric.digits - 1}f}\n{scatter}n={row['n']:.0f}"


def _others(study: GroupStatistics) -> str:
    rest = [s.name for s in study.by_weight[2:]]
    return f", mean over {', '.join(rest)}" if rest else ""


def draw_interaction(study: GroupStatistics) -> Figure:
    """A line for each level of one setting over the levels of the other."""
    first, second, table = heaviest_pair(study)
    lines = levels_within(study.selected, second)
    if len(lines) > MOST_LINES:
        raise FigureSkipped(f"{second.name} has more than {MOST_LINES} levels to draw a line for")
    ticks = levels_within(study.selected, first)
    figure = new_figure(3.8)
    axes = figure.subplots()
    scale = study.metric.scale
    for i, level in enumerate(lines):
        of_level = table[table["second"] == level].set_index("first")
        own = of_level.reindex(ticks).dropna(subset="mean")
        aside = 0.03 * (i - (len(lines) - 1) / 2)  # so that bars do not hide each other
        places = [ticks.index(tick) + aside for tick in own.index]
        reach = np.array([own["mean"] - own["low"], own["high"] - own["mean"]])
        bars = np.nan_to_num(reach) * scale
        style = {"color": PALETTE[i], "marker": "osD^vP*X"[i], "ms": 5, "capsize": 3}
        axes.errorbar(places, own["mean"] * scale, yerr=bars, label=level, **style)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set(xlabel=first.name, ylabel=metric_label(study))
    figure.legend(title=second.name, loc="outside right center")
    told = f"Bars: 95 % interval of the mean over {seeds_label(study)}."
    note = f"{told} Parallel lines: no interaction."
    title(figure, f"How {second.name} matters at each {first.name}{_others(study)}", note)
    return figure


def draw_importance(study: GroupStatistics) -> Figure:
    """The share of the differences between configurations that each setting explains."""
    found = study.importance
    if not isinstance(found, Importance):
        raise FigureSkipped(found)
    terms = found.terms.head(MOST_TERMS)
    if len(terms) == 1:
        raise FigureSkipped("one setting alone varies, and so explains all there is")
    figure = new_figure(1.5 + 0.36 * len(terms))
    is_plain = terms["is_resolved"] | found.is_estimated
    _draw_shares(figure.subplots(), terms, is_plain)
    noise = "" if found.is_estimated else " Dark mark: what chance alone would give."
    grey = "" if is_plain.all() else " Grey: not told from chance."
    note = f"{found.method[0].upper()}{found.method[1:]}.{noise}{grey}"
    title(figure, f"What explains the differences in {study.metric.label}", note)
    return figure


def _draw_shares(axes: Axes, terms: pd.DataFrame, is_plain: pd.Series) -> None:
    places, shares = np.arange(len(terms)), terms["share"] * 100
    colours = [PALETTE[0] if plain else GREY for plain in is_plain]
    axes.barh(places, shares, color=colours, height=0.6)
    axes.plot(terms["noise_share"] * 100, places, "|", ms=16, mew=2, color=INK)
    where: dict[str, Any] = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
    for place, share in zip(places, shares, strict=True):
        axes.annotate(f" {share:.1f} %", (share, place), fontsize=9, **where)
    axes.set_yticks(places, terms["term"])
    axes.set_ylim(len(terms) - 0.4, -0.6)
    axes.set_xlim(0, 115)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("share of the variance between configurations (%)")


def draw_path(study: GroupStatistics) -> Figure:
    """Single changes from the baseline, or the cheapest configuration, to the best."""
    if study.best is None or not study.settings:
        raise FigureSkipped("there are no two configurations with completed runs")
    start = study.baseline or cheapest(study.summary, study.settings)
    named = "the baseline" if study.baseline else "the cheapest configuration"
    path = path_to_best(study.summary, study.settings, start, study.metric)
    if len(path) < 2:
        raise FigureSkipped(f"{named} is the best, or no single change from it was trained")
    figure = new_figure(1.7 + 0.5 * len(path))
    axes = figure.subplots()
    _draw_steps(axes, path, study.metric)
    labels = [wrapped(text) for text in (f"from {start}", *path["change"][1:])]
    axes.set_yticks(range(len(path)), labels)
    axes.set_xlabel(metric_label(study))
    end = "the best" if path["is_complete"].iloc[0] else "as far as was trained"
    note = f"Means of {seeds_label(study)}."
    title(figure, f"One change at a time, from {named} to {end}", note)
    return figure


def _draw_steps(axes: Axes, path: pd.DataFrame, metric: Metric) -> None:
    means, places = path["mean"] * metric.scale, np.arange(len(path))
    axes.plot(means, places, "-", color=GREY, lw=2, zorder=1)
    axes.plot(means, places, "o", ms=8, color=PALETTE[0])
    where: dict[str, Any] = {"xytext": (0, 9), "textcoords": "offset points", "ha": "center"}
    for place, mean, gain in zip(places[1:], means[1:], path["gain"][1:], strict=True):
        axes.annotate(metric.difference_text(gain), (mean, place), fontsize=9, **where)
    axes.set_ylim(len(path) - 0.5, -0.5)
    axes.margins(x=0.12)
