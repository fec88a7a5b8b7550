"""Configurations with their seeds, and their differences from one of them."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.differences import (
    MOST_ROWS,
    difference_panels,
    rows_label,
)
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.figures.drawing.style import (
    ACCENT,
    ALARM,
    GRAY,
    INK,
    PALETTE,
    Color,
    metric_label,
    new_figure,
    title,
    title_and_legend,
    wrap,
)
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

TITLE_LETTERS = 40  # of a panel's title
FEW_ROWS = 20  # names of more are printed smaller
VERDICTS: dict[str, tuple[Color, str]] = {  # color and marker, for print without color
    "better": (PALETTE[2], "^"),
    "worse": (ALARM, "v"),
    "equivalent": (ACCENT, "s"),
    "undecided": ((0.5, 0.5, 0.5), "o"),
}


def draw_comparison(data: FigureData) -> Figure:
    """A row per configuration, the best on top: a point per seed, mean and 95 % interval."""
    statistics = data.statistics
    table = statistics.evaluated.head(MOST_ROWS)
    figure, axes = _rows([wrap(name) for name in table["configuration"]])
    has_intervals = table["ci_low"].notna().any()
    candidates = statistics.candidates if has_intervals else ()
    for y, (_, row) in enumerate(table.iterrows()):
        color = ACCENT if row["configuration"] in candidates else INK
        _draw_row(axes, y, row, statistics, color)
    axes.set_xlabel(metric_label(statistics))
    seeds = seeds_label(statistics)
    text = f"{statistics.metric.label.capitalize()} of {rows_label(statistics)}, {seeds}"
    note = "Circles: seeds. Diamond: their mean." if statistics.seeds > 1 else "One run each."
    if has_intervals:
        note += " Line: simultaneous 95 % interval of the mean. Blue: may be the best."
    title(figure, text, note)
    return figure


def _rows(names: list[str]) -> tuple[Figure, Axes]:
    """A figure with a row for each name, the first on top."""
    figure = new_figure(1.5 + _height(names))
    axes = figure.subplots()
    _name_rows(axes, names)
    return figure, axes


def _height(names: list[str]) -> float:
    """Inches for rows that are all as high as the highest."""
    return len(names) * (0.09 + 0.135 * max(name.count("\n") + 1 for name in names))


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=9 if len(names) <= FEW_ROWS else 8)
    axes.set_ylim(len(names) - 0.4, -0.6)


def _draw_row(
    axes: Axes, y: int, row: pd.Series, statistics: GroupStatistics, color: Color
) -> None:
    scale, counted = statistics.metric.scale, statistics.counted
    values = counted["value"][counted["configuration"] == row["configuration"]] * scale
    axes.plot([row["ci_low"] * scale, row["ci_high"] * scale], [y, y], color=color, lw=2)
    if len(values) > 1:
        axes.plot(values, [y] * len(values), "o", ms=5, mfc="none", color=INK, alpha=0.8)
    axes.plot(row["mean"] * scale, y, "D", ms=5, color=color)
    if statistics.evaluated["n"].nunique() > 1:
        where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
        axes.annotate(f"n={int(row['n'])}", (1.01, y), fontsize=8, color=INK, **where)


def draw_forest(data: FigureData) -> Figure:
    """Differences with simultaneous intervals: of factor levels, and of configurations."""
    statistics = data.statistics
    panels = difference_panels(statistics)
    heights = [0.7 + _height([wrap(name) for name in panel.names]) for panel in panels]
    figure = new_figure(1.3 + sum(heights))
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights).ravel()
    for axes, panel in zip(grid, panels, strict=True):
        _name_rows(axes, [wrap(name) for name in panel.names])
        _draw_differences(axes, panel.table, statistics)
        axes.set_title(wrap(panel.title, TITLE_LETTERS))
    unit = statistics.metric.difference_unit
    grid[-1].set_xlabel(f"difference in {statistics.metric.label} ({unit})")
    verdicts = pd.concat([panel.table["verdict"] for panel in panels])
    handles = [
        Line2D([], [], color=color, marker=marker, ms=6, lw=2, label=verdict)
        for verdict, (color, marker) in VERDICTS.items()
        if verdict in set(verdicts)
    ]
    note = "Lines: simultaneous 95 % intervals. One that does not touch 0 is significant."
    worth = statistics.worth
    band = f" Gray: within {statistics.metric.difference_text(worth)[1:]}." if worth else ""
    title_and_legend(figure, "Differences and their uncertainty", note + band, handles)
    return figure


def _draw_differences(axes: Axes, table: pd.DataFrame, statistics: GroupStatistics) -> None:
    scale, worth = statistics.metric.scale, statistics.worth
    if worth:
        axes.axvspan(-worth * scale, worth * scale, color=GRAY, alpha=0.3, lw=0)
    axes.axvline(0, color=INK, lw=1)
    for y, row in enumerate(table.itertuples()):
        color, marker = VERDICTS[row.verdict]
        axes.plot([row.low * scale, row.high * scale], [y, y], color=color, lw=2)
        axes.plot(row.mean * scale, y, marker, ms=6, color=color)
