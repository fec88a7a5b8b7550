"""Every configuration with its seeds, and what noise they show."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.style import (
    GREY,
    INK,
    PALETTE,
    FigureSkipped,
    log_axis,
    metric_label,
    new_figure,
    seeds_label,
    title,
    wrapped,
)
from cifar_exp.analysis.statistics.configurations import deviations
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.tradeoffs import resolvable_by_seeds

MOST_ROWS = 40
SEEDS = range(2, 21)


def draw_comparison(study: GroupStatistics) -> Figure:
    """A line a configuration, the best on top: every seed a point, mean and 95 % interval."""
    if not len(study.known):
        raise FigureSkipped("no run is completed")
    table = study.known.head(MOST_ROWS)
    names = [wrapped(name) for name in table["configuration"]]
    lines = max(name.count("\n") + 1 for name in names)
    figure = new_figure(1.4 + (0.11 + 0.16 * lines) * len(table))
    axes = figure.subplots()
    for place, (_, row) in enumerate(table.iterrows()):
        is_own = study.selected["configuration"] == row["configuration"]
        _draw_row(axes, place, row, study.selected["value"][is_own], study.metric.scale)
    axes.set_yticks(range(len(table)), names)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlabel(metric_label(study))
    told = f"{_told(len(table), len(study.known))}, {seeds_label(study)}"
    note = (
        "Circles: seeds. Diamond: their mean. Line: 95 % interval of the mean, none for one seed."
    )
    title(figure, f"{study.metric.label.capitalize()} of {told}", note)
    return figure


def _draw_row(axes: Axes, place: int, row: pd.Series, values: pd.Series, scale: float) -> None:
    axes.plot(values * scale, [place] * len(values), "o", ms=5, mfc="none", color=INK, alpha=0.8)
    ends = [row["ci_low"] * scale, row["ci_high"] * scale]
    axes.plot(ends, [place, place], color=PALETTE[0], lw=2)
    axes.plot(row["mean"] * scale, place, "D", ms=5, color=PALETTE[0])
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
    axes.annotate(f"n={int(row['n'])}", (1.01, place), fontsize=8, color=INK, **where)


def _told(shown: int, known: int) -> str:
    if shown < known:
        return f"the best {shown} of {known} configurations"
    return f"{known} configuration{'s' if known > 1 else ''}"


def draw_noise(study: GroupStatistics) -> Figure:
    """How far seeds of one configuration lie apart, and what so many seeds can resolve."""
    sd, df = study.noise
    if not df:
        raise FigureSkipped("no configuration has two seeds")
    if sd == 0:
        raise FigureSkipped("the seeds of each configuration came out alike")
    figure = new_figure(3.6)
    left, right = figure.subplots(1, 2)
    repeated = _draw_deviations(left, study)
    _draw_power(right, study)
    note = (
        "Grey: one SD, pooled over the configurations. Right: the smallest true difference of two "
        "configurations that so many seeds of each show in four of five tries (p < 0.05)."
    )
    title(
        figure, f"Noise between seeds of {repeated} configurations ({df} degrees of freedom)", note
    )
    return figure


def _draw_deviations(axes: Axes, study: GroupStatistics) -> int:
    """Returns of how many configurations."""
    scale, unit, sd = study.metric.scale, study.metric.difference_unit, study.noise[0]
    table = deviations(study.selected)
    ranks = table["configuration"].map(study.summary.set_index("configuration")["rank"])
    axes.axhspan(-sd * scale, sd * scale, color=GREY, alpha=0.35, lw=0)
    axes.plot(ranks, table["deviation"] * scale, "o", ms=4, color=PALETTE[0], alpha=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="configuration, by rank", ylabel=f"run less its mean ({unit})")
    axes.set_title(f"SD of a run: {sd * scale:.{study.metric.digits}f} {unit}", fontweight="normal")
    return int(ranks.nunique())


def _draw_power(axes: Axes, study: GroupStatistics) -> None:
    table = resolvable_by_seeds(study.noise[0], SEEDS)
    sizes = table["resolvable"] * study.metric.scale
    axes.plot(table["seeds"], sizes, "o-", ms=4, color=PALETTE[1])
    log_axis(axes, "y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    unit = study.metric.difference_unit
    axes.set(xlabel="seeds of each configuration", ylabel=f"smallest difference ({unit})")
    axes.set_title("What so many seeds resolve", fontweight="normal")
