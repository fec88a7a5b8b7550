"""Slices: the metric by the value of one factor, over whatever the other factors were."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cifar_exp.analysis.statistics.factors import Factor, shorten
from cifar_exp.analysis.statistics.verdicts import ALPHA

MOST_LEVELS = 12  # that are averaged one by one
BINS = 8
DECADES = 8.0  # the ratio of the ends from which on an axis may be logarithmic
DIGITS = 3  # of the ends of a bin


def is_logarithmic(values: pd.Series) -> bool:
    """Whether values are spaced logarithmically: their median is nearer to the geometric middle."""
    low, high, median = values.min(), values.max(), values.median()
    if not 0 < DECADES * low <= high:
        return False
    return bool(abs(median - (low * high) ** 0.5) < abs(median - (low + high) / 2))


def places(levels: pd.Series, factor: Factor) -> pd.Series:
    """Where levels stand on an axis: numbers as they are, others in their order."""
    if factor.is_numeric:
        return levels.astype(float)
    return levels.map({level: i for i, level in enumerate(factor.levels)}).astype(float)


def neighbors(levels: pd.Series, factor: Factor, most: int) -> pd.Series:
    """A number for each value: its level's or, if there are more than `most`, its bin's.

    Bins have equally many runs. Levels that are not numbers have no neighbors.
    """
    order = levels.map({level: i for i, level in enumerate(factor.levels)}).astype(float)
    if not factor.is_numeric or order.nunique() <= most:
        return order
    return pd.qcut(order.rank(method="first"), most, labels=False)


def slice_means(counted: pd.DataFrame, factor: Factor) -> pd.DataFrame:
    """A row per level, or per bin of neighboring values if there are many: label, center, mean, n.

    `low` and `high`: the 95 % interval of the mean over the runs in the bin, which differ in the
    other factors too; NaN for a single run. `center` is the place on an axis.
    """
    levels, value = counted[factor.key], counted["value"].astype(float)
    place = places(levels, factor)
    is_log = is_logarithmic(place)
    rows = []
    bins = neighbors(levels, factor, BINS if levels.nunique() > MOST_LEVELS else MOST_LEVELS)
    for _, own in value.groupby(bins):
        ordered = levels[place[own.index].sort_values().index]
        ends = [shorten(level, DIGITS) for level in (ordered.iloc[0], ordered.iloc[-1])]
        x = place[own.index]
        center = float(np.exp(np.log(x).mean()) if is_log else x.mean())
        half = float(stdtrit(len(own) - 1, 1 - ALPHA / 2)) * own.sem() if len(own) > 1 else np.nan
        label = " to ".join(dict.fromkeys(ends))
        rows.append((label, center, own.mean(), len(own), own.mean() - half, own.mean() + half))
    return pd.DataFrame(rows, columns=["label", "center", "mean", "n", "low", "high"])
