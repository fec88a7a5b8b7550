"""Which values of a setting are good, where many were drawn, and the trend over them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import ABSENT, Factor, parse_number
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.surrogate import MOST_LEVELS, Surrogate
from cifar_exp.analysis.statistics.threads import one_thread

MOST_POINTS = 120  # values of a setting at which its trend is computed
NARROW = 0.05  # share of the values
DRAWS = 2000  # from the posterior
CONFIDENCE = 0.95
POINTWISE = 1.96  # normal quantile of a band that holds at each value by itself
NAMES = ("setting", "name", "other_name", "other_level")
TREND_COLUMNS = (*NAMES, "level", "value", "mean", "low", "high")
REGION_COLUMNS = (*NAMES, "low", "high", "best", "is_lowest", "is_highest")


@dataclass(frozen=True)
class Slice:
    """The surrogate over a numeric setting's values, perhaps at one level of another setting.

    `levels` in ascending order, `mean` (L,) and `covariance` (L, L) of the posterior, averaged over
    the other settings.
    """

    factor: Factor
    levels: list[str]
    mean: np.ndarray
    covariance: np.ndarray
    other: Factor | None = None
    other_level: str = ""

    @property
    def names(self) -> dict[str, str]:
        """The settings, for a row of a table."""
        other = self.other.name if self.other else ""
        own = {"setting": self.factor.key, "name": self.factor.name}
        return {**own, "other_name": other, "other_level": self.other_level}


def is_drawn(surrogate: Surrogate, factor: Factor) -> bool:
    """Whether too many values of the setting were tried for them to be levels."""
    return factor.is_numeric and len(surrogate.levels[surrogate.axis(factor)]) > MOST_LEVELS


def slice_of(
    surrogate: Surrogate, factor: Factor, other: Factor | None = None, other_level: str = ""
) -> Slice:
    """The surrogate over the values of a numeric setting, thinned out evenly to at most 120."""
    axis = surrogate.axis(factor)
    known = surrogate.levels[axis]
    numbers = np.array([i for i, level in enumerate(known) if level != ABSENT])
    picked = np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_POINTS)).round().astype(int)
    codes = numbers[picked]
    fixed: dict[int, np.ndarray] = {axis: codes}
    if other is not None:
        others = surrogate.axis(other)
        code = list(surrogate.levels[others]).index(other_level)
        fixed[others] = np.full(len(codes), code)
    mean, covariance = surrogate.process.conditional(fixed)
    return Slice(factor, [known[code] for code in codes], mean, covariance, other, other_level)


def trends(surrogate: Surrogate, crossed: Mapping[str, Factor]) -> pd.DataFrame:
    """A row per value of each numeric setting: the surrogate's mean with its 95 % band.

    The band holds at each value by itself. Averaged over the other settings; where the best value
    depends on another setting (`crossed`, by the setting's key), there is a trend for each of that
    setting's levels.
    """
    rows: list[dict[str, Any]] = []
    for own in _slices(surrogate, crossed, [f for f in surrogate.factors if f.is_numeric]):
        reach = POINTWISE * np.sqrt(np.maximum(np.diag(own.covariance), 0))
        for level, mean, half in zip(own.levels, own.mean, reach, strict=True):
            value = {"level": level, "value": parse_number(level)}
            band = {"mean": mean, "low": mean - half, "high": mean + half}
            rows.append({**own.names, **value, **band})
    return pd.DataFrame(rows, columns=list(TREND_COLUMNS))


def regions(
    surrogate: Surrogate, metric: Metric, crossed: Mapping[str, Factor], worth: float | None
) -> pd.DataFrame:
    """Where the good values of each setting lie of which many were drawn, as in a random search.

    A value is good if the surrogate's mean there is not significantly worse than at its best value
    by more than `worth`; without it, by more than the noise of a run: a smooth surrogate is certain
    of differences that are too small to matter. Means are averaged over the other
    settings, at each level of one on which the best value depends (`crossed`). The differences from
    the best value hold simultaneously with 95 % probability (by draws from the posterior), and with
    it the truly best value is among the good ones. A row per range of good values: low and high,
    the best value, and whether the lowest and the highest value tried belong to it.
    """
    drawn = [factor for factor in surrogate.factors if is_drawn(surrogate, factor)]
    rows = []
    for own in _slices(surrogate, crossed, drawn):
        margin = surrogate.process.noise if worth is None else worth
        is_good, best = good_values(own, metric.sign, margin)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], is_good.astype(int), [0]])))
        for start, end in edges.reshape(-1, 2):
            span = {"low": own.levels[start], "high": own.levels[end - 1]}
            ends = {"is_lowest": bool(start == 0), "is_highest": bool(end == len(is_good))}
            rows.append({**own.names, **span, "best": own.levels[best], **ends})
    return pd.DataFrame(rows, columns=list(REGION_COLUMNS))


def good_values(own: Slice, sign: int, worth: float) -> tuple[np.ndarray, int]:
    """Which values are not significantly worse than the best by more than `worth`, and the best."""
    best = int((sign * own.mean).argmax())
    deficit = sign * (own.mean[best] - own.mean)
    spread = difference_sd(own.covariance, best)
    reach = worth + _critical(own.covariance, best, spread) * spread
    return _bridged(deficit <= reach), best


def _bridged(is_good: np.ndarray) -> np.ndarray:
    """Without gaps so narrow that they are ripples of the surrogate."""
    inside = np.flatnonzero(is_good)
    bridged = is_good.copy()
    for start, end in pairwise(inside):
        if end - start - 1 <= NARROW * len(is_good):
            bridged[start:end] = True
    return bridged


def difference_sd(covariance: np.ndarray, reference: int) -> np.ndarray:
    """SD of the difference of each value from one of them, (L, L) -> (L,)."""
    variances = np.diag(covariance)
    total = variances + variances[reference] - 2 * covariance[reference]
    return np.asarray(np.sqrt(np.maximum(total, 0)))


@one_thread()
def _critical(covariance: np.ndarray, best: int, spread: np.ndarray) -> float:
    """How many SDs all differences from the best value stay within simultaneously."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    draws = np.random.default_rng(0).standard_normal((DRAWS, len(covariance))) @ root.T
    is_different = spread > 1e-6 * spread.max(initial=0)
    if not is_different.any():
        return 0.0
    deviations = (draws - draws[:, [best]])[:, is_different] / spread[is_different]
    return float(np.quantile(np.abs(deviations).max(axis=1), CONFIDENCE))


def _slices(
    surrogate: Surrogate, crossed: Mapping[str, Factor], factors: list[Factor]
) -> Iterator[Slice]:
    for factor in factors:
        other = crossed.get(factor.key)
        if other is None:
            yield slice_of(surrogate, factor)
            continue
        for level in surrogate.levels[surrogate.axis(other)]:
            yield slice_of(surrogate, factor, other, level)
