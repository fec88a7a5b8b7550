"""What quality costs, and many settings at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.style import (
    GREY,
    INK,
    FigureSkipped,
    StyleMap,
    log_axis,
    looks,
    metric_label,
    new_figure,
    seeds_label,
    title,
)
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.tradeoffs import pareto_front

COSTS = (("pflop", "training compute (PFLOP)"), ("train_seconds", "training time (s)"))
MOST_TICKS = 12


def draw_compute(study: GroupStatistics) -> Figure:
    """The metric against compute and against time; the line joins what nothing beats."""
    if len(study.known) < 2:
        raise FigureSkipped("there are no two configurations with completed runs")
    figure = new_figure(3.8, 9.0)
    panels = figure.subplots(1, 2, sharey=True)
    found = looks(study)
    for axes, (cost, label) in zip(panels, COSTS, strict=True):
        _draw_cost(axes, study, cost, found)
        axes.set_xlabel(label)
    panels[0].set_ylabel(metric_label(study))
    note = f"Means of {seeds_label(study)}, bars: 95 % interval. Line: what nothing cheaper beats."
    found.title(figure, f"What {study.metric.label} costs", note)
    return figure


def _draw_cost(axes: Axes, study: GroupStatistics, cost: str, found: StyleMap) -> None:
    known, scale = study.known, study.metric.scale
    front = known[pareto_front(known, cost, study.metric)].sort_values(cost)
    axes.step(front[cost], front["mean"] * scale, where="post", color=INK, lw=1, zorder=1)
    names = known["configuration"]
    grey = {"others": known[~names.isin(list(found.by_configuration))]}
    own = {name: known[names == name] for name in names if found.of(name) is not None}
    for name, rows in (grey | own).items():
        look = found.of(name)
        style: dict[str, Any] = {"color": look.colour if look else GREY, "ms": 6, "lw": 1}
        reach = np.array([rows["mean"] - rows["ci_low"], rows["ci_high"] - rows["mean"]]) * scale
        bars: dict[str, Any] = {"yerr": np.nan_to_num(reach), "fmt": look.marker if look else "o"}
        axes.errorbar(rows[cost], rows["mean"] * scale, **bars, **style)
    if 0 < 5 * known[cost].min() < known[cost].max():
        log_axis(axes, "x")


def draw_parallel(study: GroupStatistics) -> Figure:
    """A line a configuration through its settings to its mean."""
    settings, known = study.by_weight[::-1], study.known
    if len(settings) < 2 or len(known) < 3:
        raise FigureSkipped("it takes two settings that vary and three configurations")
    figure = new_figure(4.0)
    axes = figure.subplots()
    ladders = [_heights(setting, set(known[setting.key])) for setting in settings]
    _draw_lines(axes, study, settings, ladders)
    low, high = known["mean"].min() * study.metric.scale, known["mean"].max() * study.metric.scale
    digits = study.metric.digits - 1
    ends = {f"{low:.{digits}f}": 0.0, f"{high:.{digits}f}": 1.0}
    for place, heights in enumerate([*ladders, ends]):
        _ladder(axes, place, heights)
    names = [*(setting.name for setting in settings), metric_label(study)]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks([])
    axes.grid(visible=False)
    sns.despine(ax=axes, left=True, bottom=True)
    axes.set_xlim(-0.35, len(settings) + 0.35)
    text = f"{len(known)} configurations, from their settings to their mean"
    title(figure, text, f"Means of {seeds_label(study)}. Light to dark: low to high.")
    return figure


def _draw_lines(
    axes: Axes,
    study: GroupStatistics,
    settings: Sequence[Factor],
    ladders: Sequence[Mapping[str, float]],
) -> None:
    means = study.known["mean"]
    norm = Normalize(means.min(), means.max())
    for _, row in study.known.iloc[::-1].iterrows():  # the best on top
        points = [h[row[s.key]] for h, s in zip(ladders, settings, strict=True)]
        end = norm(row["mean"]) if means.nunique() > 1 else 0.5
        colour = colormaps["crest"](norm(row["mean"]))
        axes.plot([*points, end], color=colour, lw=1.6, alpha=0.85)


def _heights(setting: Factor, present: set[str]) -> dict[str, float]:
    """Evenly spaced: values of a sweep are mostly chosen on some scale of their own."""
    levels = [level for level in setting.levels if level in present]
    return {level: i / (len(levels) - 1) for i, level in enumerate(levels)}


def _ladder(axes: Axes, place: int, heights: dict[str, float]) -> None:
    axes.axvline(place, color="0.6", lw=1, zorder=0)
    step = -(-len(heights) // MOST_TICKS)
    for level, height in list(heights.items())[::step]:
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        axes.annotate(
            level,
            (place, height),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            bbox=box,
        )
