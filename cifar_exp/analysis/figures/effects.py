"""What the settings do: heatmap, interaction, importance, single changes."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.style import (
    GREY,
    INK,
    PALETTE,
    UnsupportedError,
    metric_label,
    new_figure,
    seeds_told,
    title,
    wrapped,
)
from cifar_exp.analysis.statistics.effects import levels_within
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.settings import Setting
from cifar_exp.analysis.statistics.study import Study
from cifar_exp.analysis.statistics.tradeoffs import cheapest, marginal_means, path_to_best

MOST_LINES = 8
MOST_TERMS = 12


def heaviest_pair(study: Study) -> tuple[Setting, Setting, pd.DataFrame]:
    """The two settings with most effect and the means of their levels.

    Raises UnsupportedError where two did not vary, or their means cannot be compared.
    """
    if len(study.by_weight) < 2:
        raise UnsupportedError("fewer than two settings vary among the completed runs")
    first, second = study.by_weight[:2]
    for setting in (first, second):
        if not levels_within(study.counted, setting):
            raise UnsupportedError(f"{setting.name} takes too many values to be rows or lines")
    table = marginal_means(study.counted, study.settings, first, second)
    if not len(table):
        raise UnsupportedError(
            f"no combination of the other settings was trained at every {first.name} and "
            f"{second.name}: what differs could be theirs"
        )
    return first, second, table


def draw_heatmap(study: Study) -> Figure:
    """The two heaviest settings: mean, SD and number of seeds in each cell."""
    first, second, table = heaviest_pair(study)
    scale, digits = study.metric.scale, study.metric.digits - 1
    rows, columns = (levels_within(study.counted, s) for s in (first, second))
    means = table.pivot(index="first", columns="second", values="mean").loc[rows, columns] * scale
    texts = {
        (
            row["first"],
            row["second"],
        ): f"{row['mean'] * scale:.{digits}f}\n{_scatter(row, scale, digits)}n={int(row['n'])}"
        for _, row in table.iterrows()
    }
    labels = np.array([[texts.get((a, b), "") for b in columns] for a in rows])
    figure = new_figure(1.4 + 0.62 * len(rows), min(8.0, 2.9 + 1.15 * len(columns)))
    axes = figure.subplots()
    bar = {"label": metric_label(study)}
    sns.heatmap(
        means,
        annot=labels,
        fmt="",
        cmap="viridis",
        ax=axes,
        cbar_kws=bar,
        linewidths=1.5,
        annot_kws={"size": 9},
    )
    axes.set(xlabel=second.name, ylabel=first.name)
    axes.tick_params(length=0, rotation=0)
    title(
        figure, f"{study.metric.label.capitalize()}: {first.name} x {second.name}{_others(study)}"
    )
    return figure


def _scatter(row: pd.Series, scale: float, digits: int) -> str:
    return f"SD {row['sd'] * scale:.{digits + 1}f}, " if row["n"] > 1 else ""


def _others(study: Study) -> str:
    rest = [s.name for s in study.by_weight[2:]]
    return f", mean over {', '.join(rest)}" if rest else ""


def draw_interaction(study: Study) -> Figure:
    """A line for each level of one setting over the levels of the other."""
    first, second, table = heaviest_pair(study)
    lines = levels_within(study.counted, second)
    if len(lines) > MOST_LINES:
        raise UnsupportedError(
            f"{second.name} has more than {MOST_LINES} levels to draw a line for"
        )
    ticks = levels_within(study.counted, first)
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
    told = f"Bars: 95 % interval of the mean over {seeds_told(study)}."
    note = f"{told} Parallel lines: no interaction."
    title(figure, f"How {second.name} matters at each {first.name}{_others(study)}", note)
    return figure


def draw_importance(study: Study) -> Figure:
    """The share of the differences between configurations that each setting explains."""
    found = study.importance
    if not isinstance(found, Importance):
        raise UnsupportedError(found)
    terms = found.terms.head(MOST_TERMS)
    if len(terms) == 1:
        raise UnsupportedError("one setting alone varies, and so explains all there is")
    figure = new_figure(1.5 + 0.36 * len(terms))
    axes = figure.subplots()
    places = np.arange(len(terms))
    is_plain = terms["is_resolved"] | found.is_estimated
    colours = [PALETTE[0] if plain else GREY for plain in is_plain]
    axes.barh(places, terms["share"] * 100, color=colours, height=0.6)
    has_noise = terms["noise_share"].notna().all()
    if has_noise:
        axes.plot(terms["noise_share"] * 100, places, "|", ms=16, mew=2, color=INK)
    for place, share in zip(places, terms["share"] * 100, strict=True):
        axes.annotate(
            f" {share:.1f} %",
            (share, place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(places, terms["term"])
    axes.set_ylim(len(terms) - 0.4, -0.6)
    axes.set_xlim(0, 115)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("share of the variance between configurations (%)")
    noise = " Dark mark: what chance alone would give." if has_noise else ""
    grey = "" if is_plain.all() else " Grey: not told from chance."
    note = f"{found.method[0].upper()}{found.method[1:]}.{noise}{grey}"
    title(figure, f"What explains the differences in {study.metric.label}", note)
    return figure


def draw_path(study: Study) -> Figure:
    """Single changes from the baseline, or the cheapest configuration, to the best."""
    if study.best is None or not study.settings:
        raise UnsupportedError("there are no two configurations with completed runs")
    start = study.baseline or cheapest(study.summary, study.settings)
    path = path_to_best(study.summary, study.settings, start, study.metric)
    if len(path) < 2:
        alone = "the baseline is the best configuration" if study.baseline else None
        raise UnsupportedError(
            alone
            or "the cheapest configuration is the best, or no single change from it was trained"
        )
    figure = new_figure(1.7 + 0.5 * len(path))
    axes = figure.subplots()
    scale, places = study.metric.scale, np.arange(len(path))
    means = path["mean"].to_numpy() * scale
    axes.plot(means, places, "-", color=GREY, lw=2, zorder=1)
    axes.plot(means, places, "o", ms=8, color=PALETTE[0])
    for place, mean, gain in zip(places[1:], means[1:], path["gain"][1:], strict=True):
        told = study.metric.difference_text(gain)
        axes.annotate(
            told, (mean, place), xytext=(0, 9), textcoords="offset points", ha="center", fontsize=9
        )
    labels = [wrapped(text) for text in (f"from {start}", *path["change"][1:])]
    axes.set_yticks(places, labels)
    axes.set_ylim(len(path) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.set_xlabel(metric_label(study))
    end = "the best" if path["is_complete"].iloc[0] else "as far as was trained"
    named = "the baseline" if study.baseline else "the cheapest configuration"
    note = f"Means of {seeds_told(study)}."
    title(figure, f"One change at a time, from {named} to {end}", note)
    return figure
