"""What happened by epoch: curves, the gap to training images, early rankings, rates."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_exp.analysis.figures.style import (
    GREY,
    LONG_NAME,
    PALETTE,
    FigureSkipped,
    StyleMap,
    looks,
    new_figure,
    seeds_label,
    title,
    wrapped,
)
from cifar_exp.analysis.statistics.curves import (
    budget_correlation,
    by_configuration,
    rate_curves,
    with_gap,
)
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

FEW_SEEDS = 5  # below which every seed is drawn
PANELS = (
    ("train_accuracy", "training accuracy (%)", 100),
    ("val_accuracy", "validation accuracy (%)", 100),
    ("train_loss", "training loss (nats)", 1),
    ("val_loss", "validation loss (nats)", 1),
)
MOST_CURVES = 8


def draw_history(study: GroupStatistics) -> Figure:
    """Accuracy and loss by epoch, on training and validation images."""
    panels = [panel for panel in PANELS if study.history[panel[0]].notna().any()]
    if not panels:
        raise FigureSkipped("no completed run has a history")
    figure = new_figure(3.1 * ((len(panels) + 1) // 2) + 0.4)
    grid = figure.subplots((len(panels) + 1) // 2, 2, squeeze=False, sharex=True).ravel()
    found = looks(study)
    for axes, (column, label, scale) in zip(grid, panels, strict=False):
        _curves(axes, study, study.history, column, scale, found)
        axes.set_ylabel(label)
    for axes in grid[len(panels) :]:
        axes.remove()
    for axes in grid[max(0, len(panels) - 2) : len(panels)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)
    found.title(figure, "Training and validation by epoch", _told(study))
    return figure


def draw_gap(study: GroupStatistics) -> Figure:
    """Accuracy on training images, not augmented, less validation accuracy."""
    history = with_gap(study.history)
    if not history["gap"].notna().any():
        raise FigureSkipped("no completed run has accuracies on training and validation images")
    figure = new_figure(3.6)
    axes, found = figure.subplots(), looks(study)
    _curves(axes, study, history, "gap", 100, found)
    axes.axhline(0, color="0.4", lw=0.8)
    axes.set(xlabel="epoch", ylabel="training less validation accuracy (pp)")
    found.title(figure, "Generalisation gap by epoch", _told(study))
    return figure


def _told(study: GroupStatistics) -> str:
    if study.seeds == 1:
        return "One seed each."
    seeds = " Thin lines: the seeds." if study.seeds < FEW_SEEDS else ""
    return f"Lines: means of {seeds_label(study)}. Bands: one SD between seeds up and down.{seeds}"


def _curves(
    axes: Axes,
    study: GroupStatistics,
    history: pd.DataFrame,
    column: str,
    scale: int,
    found: StyleMap,
) -> None:
    groups = dict(iter(by_configuration(history, study.selected, column).groupby("configuration")))
    for name in sorted(groups, key=lambda name: found.of(name) is not None):  # grey lies below
        look, rows = found.of(name), groups[name]
        epochs, means = rows["epoch"], rows["mean"] * scale
        marker = "o" if len(rows) == 1 else ""  # a line of one point is none
        if look is None:
            axes.plot(epochs, means, color=GREY, lw=0.6, alpha=0.6, marker=marker, ms=3)
            continue
        colour = look.colour
        axes.plot(epochs, means, color=colour, linestyle=look.dash, lw=1.6, marker=marker)
        low, high = rows["low"] * scale, rows["high"] * scale
        axes.fill_between(epochs, low, high, color=colour, alpha=0.15, lw=0)
        if 1 < rows["n"].max() < FEW_SEEDS:
            ids = study.selected.index[study.selected["configuration"] == name]
            for _, run in history[history["run_id"].isin(ids)].groupby("run_id"):
                axes.plot(run["epoch"], run[column] * scale, color=colour, lw=0.5, alpha=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_budget(study: GroupStatistics) -> Figure:
    """Does the ranking after few epochs agree with the end's?"""
    table = budget_correlation(study.history, study.selected, study.metric)
    if not len(table):
        raise FigureSkipped(
            "it takes four configurations with as many epochs, and validation images"
        )
    figure = new_figure(3.4)
    left, right = figure.subplots(1, 2)
    left.plot(table["epoch"], table["correlation"], "o-", ms=4, color=PALETTE[0])
    left.set(
        xlabel="epoch k",
        ylabel="Spearman's rank correlation",
        ylim=(min(-0.05, table["correlation"].min() - 0.05), 1.05),
    )
    left.set_title("Ranking at epoch k against the end's", fontweight="normal")
    unit = study.metric.difference_unit
    right.plot(table["epoch"], table["cost"] * study.metric.scale, "o-", ms=4, color=PALETTE[1])
    right.set(xlabel="epoch k", ylabel=f"{study.metric.label} lost ({unit})")
    right.set_ylim(
        0, max(1.1 * table["cost"].max() * study.metric.scale, 0.01 * study.metric.scale)
    )
    right.set_title("Price of choosing at epoch k", fontweight="normal")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    told = "Price: how much its leader came out behind the best."
    note = f"By mean validation accuracy of {seeds_label(study)} at epoch k. {told}"
    size = int(table["configurations"].iloc[0])
    title(figure, f"Would fewer epochs have told? ({size} configurations)", note)
    return figure


def draw_rates(study: GroupStatistics) -> Figure:
    """The learning rate by step, each distinct curve once."""
    table = rate_curves(study.history, study.selected)
    if not len(table):
        raise FigureSkipped("no completed run has learning rates on record")
    curves = table.groupby("curve")
    if curves.ngroups > MOST_CURVES:
        raise FigureSkipped(
            f"there are {curves.ngroups} different curves, more than can be told apart"
        )
    figure = new_figure(3.2)
    axes = figure.subplots()
    for i, (_, rows) in enumerate(curves):
        users = wrapped(_users(rows["configurations"].iloc[0], study), LONG_NAME)
        axes.plot(rows["step"], rows["lr"], "o-", ms=3, color=PALETTE[i], label=users)
    axes.set(xlabel="step", ylabel="base learning rate")
    axes.set_ylim(bottom=0)
    if curves.ngroups > 1:
        figure.legend(loc="outside right center")
    is_one = curves.ngroups == 1
    same = "the same in all configurations" if is_one else f"{curves.ngroups} different curves"
    title(figure, f"Learning rate by step: {same}", "Points: the last step of each epoch.")
    return figure


def _users(names: list[str], study: GroupStatistics) -> str:
    if len(names) == study.selected["configuration"].nunique():
        return "all configurations"
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
