"""Every configuration with its seeds, and what noise they show."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.style import (
    GREY,
    INK,
    PALETTE,
    UnsupportedError,
    metric_label,
    new_figure,
    seeds_told,
    title,
)
from cifar_exp.analysis.statistics.study import Study
from cifar_exp.analysis.statistics.tradeoffs import resolvable_by_seeds

MOST_ROWS = 40
SEEDS = range(2, 21)


def draw_comparison(study: Study) -> Figure:
    """A line a configuration, the best on top: every seed a point, mean and 95 % interval."""
    known = study.summary[study.summary["n"] > 0]
    if not len(known):
        raise UnsupportedError("no run is completed")
    table = known.head(MOST_ROWS)
    figure = new_figure(1.3 + 0.27 * len(table))
    axes = figure.subplots()
    scale, places = study.metric.scale, np.arange(len(table))
    for place, (_, row) in zip(places, table.iterrows(), strict=True):
        values = study.counted["value"][study.counted["configuration"] == row["configuration"]]
        axes.plot(
            values * scale, [place] * len(values), "o", ms=5, mfc="none", color=INK, alpha=0.8
        )
        axes.plot(
            [row["ci_low"] * scale, row["ci_high"] * scale], [place] * 2, color=PALETTE[0], lw=2
        )
        axes.plot(row["mean"] * scale, place, "D", ms=5, color=PALETTE[0])
        axes.annotate(
            f"n={int(row['n'])}",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_yticks(places, table["configuration"])
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlabel(metric_label(study))
    told = f"{_told(len(table), len(known))}, {seeds_told(study)}"
    note = (
        "Circles: seeds. Diamond: their mean. Line: 95 % interval of the mean, none for one seed."
    )
    title(figure, f"{study.metric.label.capitalize()} of {told}", note)
    return figure


def _told(shown: int, known: int) -> str:
    if shown < known:
        return f"the best {shown} of {known} configurations"
    return f"{known} configuration{'s' if known > 1 else ''}"


def draw_noise(study: Study) -> Figure:
    """How far seeds of one configuration lie apart, and what so many seeds can resolve."""
    sd, df = study.noise
    if not df:
        raise UnsupportedError("no configuration has two seeds")
    figure = new_figure(3.6)
    left, right = figure.subplots(1, 2)
    scale, unit = study.metric.scale, study.metric.difference_unit
    names = list(study.summary["configuration"])
    groups = study.counted.groupby("configuration")["value"]
    is_repeated = groups.transform("size") > 1
    deviations = ((study.counted["value"] - groups.transform("mean")) * scale)[is_repeated]
    ranks = study.counted["configuration"].map({name: i + 1 for i, name in enumerate(names)})
    left.axhspan(-sd * scale, sd * scale, color=GREY, alpha=0.35, lw=0)
    left.plot(ranks[is_repeated], deviations, "o", ms=4, color=PALETTE[0], alpha=0.7)
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel="configuration, by rank", ylabel=f"run less its mean ({unit})")
    left.set_title(f"SD of a run: {sd * scale:.{study.metric.digits}f} {unit}", fontweight="normal")
    table = resolvable_by_seeds(sd, SEEDS)
    right.plot(table["seeds"], table["resolvable"] * scale, "o-", ms=4, color=PALETTE[1])
    right.set_yscale("log")
    right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    right.yaxis.set_minor_formatter(
        lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""
    )
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set(xlabel="seeds of each configuration", ylabel=f"smallest difference ({unit})")
    right.set_title("What so many seeds resolve", fontweight="normal")
    note = (
        "Grey: one SD, pooled over the configurations. Right: the smallest true difference of two "
        "configurations\nthat so many seeds of each show in four of five tries (p < 0.05)."
    )
    repeated = ranks[is_repeated].nunique()
    title(
        figure, f"Noise between seeds of {repeated} configurations ({df} degrees of freedom)", note
    )
    return figure
