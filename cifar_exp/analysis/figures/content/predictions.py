"""What the figures of the best configuration's predictions show."""

from collections.abc import Sequence

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.statistics.confusion import (
    calibration_error,
    confused_pairs,
    confusion,
    reliability,
)

MOST_GROUPS = 30


def confused_groups(data: FigureData) -> tuple[str, Sequence[str]]:
    """`superclass` or `class`, and the group of each class.

    Raises FigureSkipped if there are too many groups.
    """
    assert len(data.predictions.label)
    dataset = data.best_runs[0].record.dataset
    names, groups = dataset.class_names, dataset.superclasses
    has_groups = groups is not None and len(groups) == len(names)
    kind, chosen = ("superclass", groups) if has_groups and groups else ("class", names)
    if len(set(chosen)) > MOST_GROUPS:
        raise FigureSkipped(f"there are no superclasses and more than {MOST_GROUPS} classes")
    if len(set(chosen)) < 2:
        raise FigureSkipped(f"there is only one {kind}")
    return kind, chosen


def confusion_alt(data: FigureData) -> str:
    """The largest confusion and the worst class."""
    kind, groups = confused_groups(data)
    table = confusion(data.predictions, groups) * 100
    right = pd.Series({name: table.loc[name, name] for name in table.index})
    errors = table.stack()
    errors = errors[errors.index.get_level_values(0) != errors.index.get_level_values(1)]
    (true, predicted), most = errors.idxmax(), errors.max()
    return (
        f"{len(table)} x {len(table)} {kind}es: {right.idxmax()} is recognized best "
        f"({right.max():.0f} %), {right.idxmin()} worst ({right.min():.0f} %); {true} is taken for "
        f"{predicted} in {most:.0f} % of its images."
    )


def pairs_alt(data: FigureData) -> str:
    """The three pairs confused most often."""
    table = confused_pairs(data.predictions, data.best_runs[0].record.dataset.class_names)
    if not len(table):
        raise FigureSkipped("the best configuration classifies every test image correctly")
    parts = [
        f"{r['first']} and {r['second']} ({r['share']:.0%})" for _, r in table.head(3).iterrows()
    ]
    return f"Most often confused: {', '.join(parts)} of the images of both classes."


def reliability_alt(data: FigureData) -> str:
    """The calibration error and its direction."""
    table = reliability(data.predictions)
    weights = table["images"] / table["images"].sum()
    surplus = float(((table["accuracy"] - table["confidence"]) * weights).sum()) * 100
    side = "more often right than confident" if surplus > 0 else "less often right than confident"
    error = calibration_error(table) * 100
    return f"Calibration error {error:.1f} pp; on average {abs(surplus):.1f} pp {side}."
