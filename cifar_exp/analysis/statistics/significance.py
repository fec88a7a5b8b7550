"""Differences between two groups of runs: interval, p value, and what so many seeds can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

ALPHA = 0.05  # intervals of 95 %, and what counts as resolved
POWER = 0.8  # chance that a difference of the "resolvable" size is resolved
MOST_SEEDS = 1000
NO_SCATTER = 1e-9  # below it differences are one and the same, but for rounding
NAN = float("nan")


@dataclass(frozen=True)
class Difference:
    """`mean` of A less B, its 95 % interval and two-sided p.

    n: pairs, or where seeds do not pair the smaller group. `probability`: that A's value exceeds
    B's, ties as halves. sd: of the differences. Where n < 2 or all differences are the same to the
    last digit, nothing is known of their scatter: low, high and p are NaN.
    """

    n: int
    is_paired: bool
    mean: float
    sd: float
    low: float
    high: float
    p: float
    probability: float


def difference(a: pd.Series, b: pd.Series) -> Difference:
    """A less B, values by seed: paired where two seeds are shared, else Welch's.

    The probability is Bouthillier et al.'s P(A > B) over the pairs (arXiv 2103.03098), or, without
    pairs, over all combinations (rliable, NeurIPS 2021: the Mann-Whitney statistic).
    """
    shared = a.index.intersection(b.index)
    if len(shared) >= 2 or (len(shared) == 1 and min(len(a), len(b)) == 1):
        return paired(a[shared].to_numpy() - b[shared].to_numpy())
    return _welch(a.to_numpy(dtype=float), b.to_numpy(dtype=float))


def paired(differences: Sequence[float] | np.ndarray) -> Difference:
    """From one difference a seed."""
    values = np.asarray(differences, dtype=float)
    n = len(values)
    sd = float(values.std(ddof=1)) if n > 1 else NAN
    low, high, p = _judged(float(values.mean()), sd / n**0.5, n - 1)
    probability = float(_ahead(values).mean())
    return Difference(n, True, float(values.mean()), sd, low, high, p, probability)


def _welch(a: np.ndarray, b: np.ndarray) -> Difference:
    n, mean = min(len(a), len(b)), float(a.mean() - b.mean())
    error = df = NAN
    if n > 1:
        parts = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
        error = float(parts.sum() ** 0.5)
        freedoms = np.array([len(a) - 1, len(b) - 1])
        df = float(parts.sum() ** 2 / (parts**2 / freedoms).sum()) if error else NAN
    low, high, p = _judged(mean, error, df)
    probability = float(_ahead(a[:, None] - b[None, :]).mean())
    sd = error * n**0.5  # as of n differences with the same error
    return Difference(n, False, mean, sd, low, high, p, probability)


def _judged(mean: float, error: float, df: float) -> tuple[float, float, float]:
    """Interval and p; nothing where the error is not known."""
    if not error > NO_SCATTER:
        return NAN, NAN, NAN
    margin = float(stats.t.ppf(1 - ALPHA / 2, df)) * error
    return mean - margin, mean + margin, float(2 * stats.t.sf(abs(mean) / error, df))


def _ahead(differences: np.ndarray) -> np.ndarray:
    return np.where(differences > 0, 1.0, np.where(differences == 0, 0.5, 0.0))


@cache
def resolvable_effect(n: int, alpha: float = ALPHA) -> float:
    """The smallest effect, in SDs of the differences, that n pairs resolve with 80 % power.

    Of the two-sided paired t test at `alpha`; that it may resolve the wrong sign is left out
    (below 0.0001). By quadrature: solvers that use the noncentral t come to no end at small n.
    """
    critical = float(stats.t.ppf(1 - alpha / 2, n - 1))
    scales = np.sqrt(stats.chi2.ppf((np.arange(2000) + 0.5) / 2000, n - 1) / (n - 1))

    def power(shift: float) -> float:
        return float(stats.norm.cdf(shift - critical * scales).mean())

    shift = float(brentq(lambda shift: power(shift) - POWER, 0, 4 * critical + 4))
    return shift / float(n**0.5)


def seeds_needed(effect: float, alpha: float = ALPHA) -> float:
    """The fewest pairs that resolve this effect; infinite where more than 1,000 would not do."""
    low, high = 2, MOST_SEEDS
    if not effect > 0 or resolvable_effect(high, alpha) > effect:
        return float("inf")
    while low < high:
        middle = (low + high) // 2
        does = resolvable_effect(middle, alpha) <= effect
        low, high = (low, middle) if does else (middle + 1, high)
    return float(low)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p values corrected for their number by Holm's method; NaN stays, and does not count."""
    from statsmodels.stats.multitest import multipletests

    values = np.asarray(p_values, dtype=float)
    known = ~np.isnan(values)
    if known.any():
        values[known] = multipletests(values[known], alpha=ALPHA, method="holm")[1]
    return values


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """95 % interval of a mean by Student's t; NaN below two values."""
    n = len(values)
    if n < 2:
        return NAN, NAN
    margin = float(stats.t.ppf(1 - ALPHA / 2, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return float(values.mean()) - margin, float(values.mean()) + margin
