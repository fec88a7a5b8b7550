"""Which classes a run confuses, and how well its confidence is calibrated."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cifar_exp.storage.predictions import Predictions

NORMAL_95 = 1.959964  # the normal quantile of a 95 % interval
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


def similar_first(table: pd.DataFrame) -> pd.DataFrame:
    """The confusion matrix in an order in which groups that are often confused are neighbors.

    Average linkage; a group starts from the one it is confused with most, and clusters are turned
    so that the ends that meet are those confused more.
    """
    values = np.nan_to_num(table.to_numpy())
    similar = values + values.T
    clusters = [[i] for i in range(len(table))]
    while len(clusters) > 1:
        pairs = [(i, j) for i in range(len(clusters)) for j in range(i)]
        means = [similar[np.ix_(clusters[i], clusters[j])].mean() for i, j in pairs]
        i, j = pairs[int(np.argmax(means))]
        second, first = clusters.pop(i), clusters.pop(j)
        clusters.append(_joined(first, second, similar))
    order = clusters[0]
    return table.iloc[order, order]


def _joined(first: list[int], second: list[int], similar: np.ndarray) -> list[int]:
    """Two clusters in a row, each turned so that their nearest ends meet."""
    turned = [(a, b) for a in (first, first[::-1]) for b in (second, second[::-1])]
    a, b = max(turned, key=lambda pair: similar[pair[0][-1], pair[1][0]])
    return [*a, *b]


def reliability(predictions: Predictions, seeds: int = 1) -> pd.DataFrame:
    """By bin of confidence: low, high, images, mean confidence, accuracy; no empty bins.

    `lowest` and `highest`: the 95 % interval of the accuracy by Wilson's method. `predictions` may
    hold several seeds one after the other: these share their images, so that an interval is as wide
    as that of one seed's images.
    """
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
    lowest, highest = _wilson(table["accuracy"], table["images"] / seeds)
    return table.assign(lowest=lowest, highest=highest).reset_index(drop=True)


def _wilson(share: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Wilson's score interval of a binomial share (JASA 1927)."""
    z = NORMAL_95
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    # of a share of 0 or 1 it ends there, but for rounding
    return (middle - half).clip(upper=share), (middle + half).clip(lower=share)


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015) from a `reliability` table."""
    gaps = (table["confidence"] - table["accuracy"]).abs()
    return float((gaps * table["images"]).sum() / table["images"].sum())
