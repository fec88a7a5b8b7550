"""What quality costs, and many settings at once."""

import numpy as np
import seaborn as sns
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.style import (
    GREY,
    INK,
    UnsupportedError,
    looks,
    metric_label,
    new_figure,
    seeds_told,
    title,
)
from cifar_exp.analysis.statistics.settings import Setting
from cifar_exp.analysis.statistics.study import Study
from cifar_exp.analysis.statistics.tradeoffs import pareto_front

COSTS = (("pflop", "training compute (PFLOP)"), ("train_seconds", "training time (s)"))
MOST_TICKS = 12


def draw_compute(study: Study) -> Figure:
    """The metric against compute and against time; the line joins what nothing beats."""
    known = study.summary[study.summary["n"] > 0]
    if len(known) < 2:
        raise UnsupportedError("there are no two configurations with completed runs")
    figure = new_figure(3.8, 9.0)
    panels = figure.subplots(1, 2, sharey=True)
    found, scale = looks(study), study.metric.scale
    for axes, (cost, label) in zip(panels, COSTS, strict=True):
        front = known[pareto_front(known, cost, study.metric)].sort_values(cost)
        axes.step(front[cost], front["mean"] * scale, where="post", color=INK, lw=1, zorder=1)
        for _, row in known.iterrows():
            look = found.of(row["configuration"])
            reach = (
                np.array([[row["mean"] - row["ci_low"]], [row["ci_high"] - row["mean"]]]) * scale
            )
            style = {"color": look.colour if look else GREY, "marker": look.marker if look else "o"}
            axes.errorbar(
                row[cost], row["mean"] * scale, yerr=np.nan_to_num(reach), ms=6, lw=1, **style
            )
        if known[cost].min() > 0 and known[cost].max() > 5 * known[cost].min():
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.xaxis.set_minor_formatter(
                lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""
            )
        axes.tick_params(axis="x", which="both", length=3, pad=4)
        axes.set_xlabel(label)
    panels[0].set_ylabel(metric_label(study))
    note = f"Means of {seeds_told(study)}, bars: 95 % interval. Line: what nothing cheaper beats."
    found.title(figure, f"What {study.metric.label} costs", note)
    return figure


def draw_parallel(study: Study) -> Figure:
    """A line a configuration through its settings to its mean."""
    varied = [s for s in study.by_weight if study.counted[s.key].nunique() > 1]
    known = study.summary[study.summary["n"] > 0]
    if len(varied) < 2 or len(known) < 3:
        raise UnsupportedError("it takes two settings that vary and three configurations")
    figure = new_figure(4.0)
    axes = figure.subplots()
    scale, low, high = study.metric.scale, known["mean"].min(), known["mean"].max()
    heights = [_heights(s, set(known[s.key])) for s in reversed(varied)]
    norm, colours = Normalize(low * scale, high * scale), colormaps["crest"]
    for _, row in known.iloc[::-1].iterrows():
        points = [h[row[s.key]] for h, s in zip(heights, reversed(varied), strict=True)]
        last = (row["mean"] - low) / (high - low) if high > low else 0.5
        axes.plot([*points, last], color=colours(norm(row["mean"] * scale)), lw=1.6, alpha=0.85)
    for place, h in enumerate(heights):
        _ladder(axes, place, h)
    _ladder(
        axes,
        len(varied),
        {f"{v * scale:.{study.metric.digits - 1}f}": y for v, y in ((low, 0.0), (high, 1.0))},
    )
    names = [s.name for s in reversed(varied)]
    axes.set_xticks(range(len(names) + 1), [*names, metric_label(study)])
    axes.set_yticks([])
    axes.grid(visible=False)
    sns.despine(ax=axes, left=True, bottom=True)
    axes.set_xlim(-0.35, len(names) + 0.35)
    title(
        figure,
        f"{len(known)} configurations, from their settings to their mean",
        "Light to dark: low to high.",
    )
    return figure


def _heights(setting: Setting, present: set[str]) -> dict[str, float]:
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
