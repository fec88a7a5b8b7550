"""The metric against compute and time."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.figures.drawing.style import (
    GRAY,
    INK,
    StyleMap,
    assign_styles,
    log_axis,
    metric_label,
    new_figure,
)
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.pareto import pareto_front

COSTS = (("pflop", "training compute (PFLOP)"), ("train_seconds", "training time (s)"))


def draw_compute(data: FigureData) -> Figure:
    """The metric against compute and against time, with the Pareto front."""
    statistics = data.statistics
    figure = new_figure(3.8, 9.0)
    panels = figure.subplots(1, 2, sharey=True)
    styles = assign_styles(statistics)
    for axes, (cost, label) in zip(panels, COSTS, strict=True):
        _draw_cost(axes, statistics, cost, styles)
        axes.set_xlabel(label)
    panels[0].set_ylabel(metric_label(statistics))
    note = f"Means of {seeds_label(statistics)}, bars: 95 % interval. Line: Pareto front."
    styles.title(figure, f"{statistics.metric.label.capitalize()} against compute and time", note)
    return figure


def _draw_cost(axes: Axes, statistics: GroupStatistics, cost: str, styles: StyleMap) -> None:
    table, scale = statistics.evaluated, statistics.metric.scale
    front = table[pareto_front(table, cost, statistics.metric)].sort_values(cost)
    axes.step(front[cost], front["mean"] * scale, where="post", color=INK, lw=1, zorder=1)
    names = table["configuration"]
    others = {"others": table[~names.isin(list(styles.by_configuration))]}
    own = {name: table[names == name] for name in names if styles.get(name) is not None}
    for name, rows in (others | own).items():
        style = styles.get(name)
        line: dict[str, Any] = {"color": style.color if style else GRAY, "ms": 6, "lw": 1}
        reach = np.array([rows["mean"] - rows["ci_low"], rows["ci_high"] - rows["mean"]]) * scale
        bars: dict[str, Any] = {"yerr": np.nan_to_num(reach), "fmt": style.marker if style else "o"}
        axes.errorbar(rows[cost], rows["mean"] * scale, **bars, **line)
    if 0 < 5 * table[cost].min() < table[cost].max():
        log_axis(axes, "x")
