"""The trends over settings of which many values were drawn, for the page's charts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

DIGITS = 4  # significant digits: what a chart can show
SLICE = ["setting", "other_name", "other_level"]


def trend_data(statistics: GroupStatistics, keys: Sequence[str]) -> list[dict[str, Any]]:
    """An object for each slice of `statistics.trends`, where there is a surrogate.

    `factor` and `other` are places in `keys`, -1 without another setting, whose level is `level`;
    `x`, `mean`, `low` and `high` the values of the setting, the trend and its band, as stored;
    `good` the ranges [low, high] of values that may be the best.
    """
    names = {factor.name: factor.key for factor in statistics.factors}
    places = {key: place for place, key in enumerate(keys)}
    return [
        {
            "factor": places[setting],
            "other": places[names[other]] if other else -1,
            "level": level,
            "x": _short(own["value"]),
            **{name: _short(own[name]) for name in ("mean", "low", "high")},
            "good": _good(statistics.regions, (setting, other, level)),
        }
        for (setting, other, level), own in statistics.trends.groupby(SLICE, sort=False)
        if setting in places
    ]


def _good(regions: pd.DataFrame, slice_names: tuple[str, ...]) -> list[list[float]]:
    own = regions[(regions[SLICE] == list(slice_names)).all(axis=1)]
    return [[float(low), float(high)] for low, high in own[["low", "high"]].itertuples(index=False)]


def _short(values: pd.Series) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in np.asarray(values, dtype=float)]
