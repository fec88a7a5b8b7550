"""The progress of searches: the best so far by the compute spent."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.progress import progress_table
from cifar_exp.analysis.figures.drawing.style import (
    INK,
    PALETTE,
    Color,
    brief,
    new_figure,
    title_and_legend,
)
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.paused import PAUSED
from cifar_exp.text import counted

LETTERS = 22  # of a series' name in the legend
MARGIN = 0.05  # of the values shown
MANY = 60  # points of a series, which are then drawn smaller
ROW = 0.035  # of the height of the axes: from one row of paused runs to the next, and to the bottom


def draw_progress(data: FigureData) -> Figure:
    """A line for the group, and one for each comparable sweep of the report."""
    metric = data.statistics.metric
    text = f"Best {metric.label} so far by the compute spent"
    return draw_series(progress_table(data), metric, text)


def draw_series(table: pd.DataFrame, metric: Metric, text: str, note: str = "") -> Figure:
    """A line for each `series` of a table with the columns series, compute (PFLOP) and best.

    Optional columns: `low` and `high`, a band around `best`; `value` of each run, a point; and
    `status`: of a paused run, the compute at its end is marked at the edge where bad runs are.
    `note` says what the band is. Values as stored.
    """
    figure = new_figure(4.2)
    axes = figure.subplots()
    handles = []
    names = list(dict.fromkeys(table["series"]))
    for place, (name, color) in enumerate(zip(names, PALETTE, strict=False)):
        own = table[table["series"] == name]
        _draw_line(axes, own, metric.scale, color, is_first=place == 0)
        height = ROW * (1 + place)  # where bad runs are
        height = height if metric.is_higher_better else 1 - height
        _draw_runs(axes, own, metric.scale, color, height)
        label = brief(str(name), LETTERS)
        handles.append(Line2D([], [], color=color, lw=2.5 if place == 0 else 1.8, label=label))
    hidden = _limit_values(axes, table, metric)
    has_paused = "status" in table and bool((table["status"] == PAUSED).any())
    if has_paused:
        handles.append(_paused_handle())
    axes.set_xlim(left=0)
    unit = f" ({metric.unit})" if metric.unit else ""
    axes.set(xlabel="compute spent (PFLOP)", ylabel=f"{metric.label}{unit}")
    has_one_kind = len(names) == 1 and not has_paused
    edge = ("bottom" if metric.is_higher_better else "top") if has_paused else ""
    text_below = _note(table, edge, hidden, note)
    title_and_legend(figure, text, text_below, [] if has_one_kind else handles)
    return figure


def _limit_values(axes: Axes, table: pd.DataFrame, metric: Metric) -> int:
    """Leave out the worst quarter of the runs where that hides no line; returns how many it hides.

    Otherwise a few bad runs would press all lines to one edge.
    """
    if "value" not in table:
        return 0
    gains = (metric.sign * table["value"]).dropna()
    lines = metric.sign * table[["best", *({"low"} & set(table.columns))]]
    worst, best = min(gains.quantile(0.25), lines.min().min()), lines.max().max()
    margin = MARGIN * (best - worst)
    if not gains.min() < worst - margin:
        return 0
    ends = sorted((metric.sign * (worst - 3 * margin), metric.sign * (best + margin)))
    axes.set_ylim(*(end * metric.scale for end in ends))
    return int((gains < worst - 3 * margin).sum())


def _draw_line(
    axes: Axes, own: pd.DataFrame, scale: float, color: Color, *, is_first: bool
) -> None:
    """Steps: the best holds until a better run ends."""
    known = own.dropna(subset="best")
    look: dict[str, Any] = {"color": color, "lw": 2.5 if is_first else 1.8}
    axes.step(known["compute"], known["best"] * scale, where="post", **look)
    if "low" in known and known["low"].notna().any():
        ends = known["low"] * scale, known["high"] * scale
        axes.fill_between(known["compute"], *ends, step="post", color=color, alpha=0.18, lw=0)


def _draw_runs(axes: Axes, own: pd.DataFrame, scale: float, color: Color, height: float) -> None:
    """Points for runs that count; hollow ones at `height`, from 0 to 1, for paused runs."""
    size = 3 if len(own) > MANY else 4
    if "value" in own:
        look: dict[str, Any] = {"ms": size, "color": color, "alpha": 0.45, "mew": 0}
        axes.plot(own["compute"], own["value"] * scale, "o", **look)
    if "status" in own:
        paused = own.loc[own["status"] == PAUSED, "compute"]
        hollow: dict[str, Any] = {"ms": size, "mfc": "white", "mec": color, "mew": 1.0}
        axes.plot(
            paused, [height] * len(paused), "o", transform=axes.get_xaxis_transform(), **hollow
        )


def _paused_handle() -> Line2D:
    look: dict[str, Any] = {"mfc": "white", "mec": INK, "ms": 5, "lw": 0}
    return Line2D([], [], marker="o", label="paused run", **look)


def _note(table: pd.DataFrame, edge: str, hidden: int, note: str) -> str:
    parts = ["Lines: the best single run so far, which is partly luck."]
    if "value" in table:
        left_out = f" ({counted(hidden, 'bad run')} beyond the axis)" if hidden else ""
        parts.append(f"Points: runs at their end{left_out}.")
    if edge:
        parts.append(f"At the {edge}: paused runs, whose compute counts.")
    return " ".join([*parts, *([note] if note else [])])
