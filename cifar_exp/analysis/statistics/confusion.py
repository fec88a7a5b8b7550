"""Which classes a run confuses, and how well its confidence is calibrated."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cifar_exp.storage.predictions import Predictions

BINS = 15  # of confidence, equally pivot, as in the run's own calibration error


def confusion(predictions: Predictions, groups: Sequence[str]) -> pd.DataFrame:
    """Confusion matrix: the share of each group's images (rows sum to 1) by predicted group.

    `groups` names a group for every class; with the class names themselves it is the plain matrix.
    """
    names = sorted(set(groups))
    index = np.array([names.index(group) for group in groups])
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (index[predictions.label], index[predictions.prediction]), 1)
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, sums, out=np.full_like(counts, np.nan), where=sums > 0)
    return pd.DataFrame(shares, index=names, columns=names)


def confused_pairs(
    predictions: Predictions, class_names: Sequence[str], most: int = 15
) -> pd.DataFrame:
    """The pairs of classes confused most often: pair, images, share of both classes' images.

    Both directions are added: `as_second` images of the first class were predicted as the second,
    `as_first` images of the second class as the first.
    """
    size = len(class_names)
    counts = np.zeros((size, size), dtype=int)
    np.add.at(counts, (predictions.label, predictions.prediction), 1)
    totals = counts.sum(axis=1)
    rows, columns = np.triu_indices(size, k=1)
    table = pd.DataFrame(
        {
            "first": [class_names[i] for i in rows.tolist()],
            "second": [class_names[i] for i in columns.tolist()],
            "as_second": counts[rows, columns],
            "as_first": counts[columns, rows],
            "total": totals[rows] + totals[columns],
        }
    )
    table["images"] = table["as_second"] + table["as_first"]
    table["share"] = table["images"] / table["total"].clip(lower=1)
    found = table[table["images"] > 0].sort_values(
        ["images", "first", "second"], ascending=[False, True, True]
    )
    return found.head(most).reset_index(drop=True)


def reliability(predictions: Predictions) -> pd.DataFrame:
    """By bin of confidence: low, high, images, mean confidence, accuracy; no empty bins."""
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.clip(np.ceil(predictions.confidence * BINS) - 1, 0, BINS - 1).astype(int)
    frame = pd.DataFrame(
        {
            "bin": bins,
            "confidence": predictions.confidence,
            "accuracy": (predictions.label == predictions.prediction).astype(float),
        }
    )
    table = frame.groupby("bin").agg(
        images=("accuracy", "size"),
        confidence=("confidence", "mean"),
        accuracy=("accuracy", "mean"),
    )
    table.insert(0, "low", edges[table.index])
    table.insert(1, "high", edges[table.index + 1])
    return table.reset_index(drop=True)


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015) from a `reliability` table."""
    gaps = (table["confidence"] - table["accuracy"]).abs()
    return float((gaps * table["images"]).sum() / table["images"].sum())
