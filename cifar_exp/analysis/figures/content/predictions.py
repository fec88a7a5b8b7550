"""What the figures of the best configuration's predictions show."""

import numpy as np
import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.confusion import (
    calibration_error,
    confused_pairs,
    confusion,
    reliability,
    similar_first,
)

MOST_GROUPS = 30


def confusion_table(data: FigureData) -> tuple[str, pd.DataFrame]:
    """`superclass` or `class`, and the share of each one's images by what they are taken for.

    Raises FigureSkipped if there is only one or too many.
    """
    dataset = data.best_runs[0].record.dataset if data.best_runs else None
    predictions = data.predictions
    assert dataset is not None
    names, groups = dataset.class_names, dataset.superclasses
    has_groups = groups is not None and len(groups) == len(names)
    kind, chosen = ("superclass", groups) if has_groups and groups else ("class", names)
    if len(set(chosen)) > MOST_GROUPS:
        raise FigureSkipped(f"there are no superclasses and more than {MOST_GROUPS} classes")
    if len(set(chosen)) < 2:
        raise FigureSkipped(f"there is only one {kind}")
    return kind, similar_first(confusion(predictions, chosen))


def confusion_alt(data: FigureData) -> str:
    """Which group is recognized best and worst, and the largest confusion."""
    kind, table = confusion_table(data)
    values, names = table.to_numpy() * 100, list(table.index)
    right = np.nan_to_num(np.diag(values))
    errors = np.nan_to_num(values - np.diag(np.diag(values)), nan=0.0)
    true, predicted = np.unravel_index(int(errors.argmax()), errors.shape)
    best, worst = int(right.argmax()), int(right.argmin())
    return (
        f"{len(table)} {kind}es: {names[best]} is recognized best ({right[best]:.0f} %), "
        f"{names[worst]} worst ({right[worst]:.0f} %). The largest confusion: {names[true]} is "
        f"mistaken for {names[predicted]} in {errors.max():.0f} % of its images."
    )


def pairs_table(data: FigureData) -> pd.DataFrame:
    """The pairs confused most often. Raises FigureSkipped if none is."""
    predictions = data.predictions
    table = confused_pairs(predictions, data.best_runs[0].record.dataset.class_names)
    if not len(table):
        raise FigureSkipped("the best configuration classifies every test image correctly")
    return table


def pairs_alt(data: FigureData) -> str:
    """The three pairs confused most often."""
    most = pairs_table(data).head(3).itertuples()
    parts = [f"{row.first} and {row.second} ({100 * row.share:.0f} %)" for row in most]
    return f"Most often confused, of the images of both classes: {listed(parts)}."


def reliability_alt(data: FigureData) -> str:
    """The calibration error and its direction."""
    table = reliability(data.predictions, len(data.best_runs))
    weights = table["images"] / table["images"].sum()
    surplus = float(((table["accuracy"] - table["confidence"]) * weights).sum()) * 100
    side = "above" if surplus > 0 else "below"
    error = calibration_error(table) * 100
    return (
        f"Calibration error {error:.1f} pp: on average, accuracy is {abs(surplus):.1f} pp {side} "
        "confidence."
    )
