"""Differences between two sets of runs: interval, p value, and statistical power."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

ALPHA = 0.05  # of 95 % intervals and of significance
POWER = 0.8  # the chance that a difference of the "resolvable" size is significant
MOST_SEEDS = 1000
NO_SCATTER = 1e-9  # a smaller standard error is rounding: the differences are equal
NAN = float("nan")


@dataclass(frozen=True)
class Difference:
    """The mean of A minus B, its 95 % interval and two-sided p value.

    n: the number of pairs, or the size of the smaller set if seeds do not pair. probability: that
    A's value exceeds B's, with ties as halves. sd: of the differences. low, high and p are NaN if
    n < 2 or all differences are equal, because their scatter is then unknown.
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
    """A minus B, values by seed: paired if two seeds are shared, else Welch's t test.

    The probability is P(A > B) over the pairs (Bouthillier et al., arXiv 2103.03098) or, without
    pairs, over all combinations (rliable, NeurIPS 2021: the Mann-Whitney statistic).
    """
    shared = a.index.intersection(b.index)
    if len(shared) >= 2 or (len(shared) == 1 and min(len(a), len(b)) == 1):
        return paired(a[shared].to_numpy() - b[shared].to_numpy())
    return _welch(a.to_numpy(dtype=float), b.to_numpy(dtype=float))


def paired(differences: Sequence[float] | np.ndarray) -> Difference:
    """The paired t test, from one difference per seed."""
    values = np.asarray(differences, dtype=float)
    n = len(values)
    sd = float(values.std(ddof=1)) if n > 1 else NAN
    low, high, p = _interval_and_p(float(values.mean()), sd / n**0.5, n - 1)
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
    low, high, p = _interval_and_p(mean, error, df)
    probability = float(_ahead(a[:, None] - b[None, :]).mean())
    sd = error * n**0.5  # that n differences with this standard error would have
    return Difference(n, False, mean, sd, low, high, p, probability)


def _interval_and_p(mean: float, error: float, df: float) -> tuple[float, float, float]:
    """A 95 % interval and a two-sided p value; NaN if the standard error is unknown or 0."""
    if not error > NO_SCATTER:
        return NAN, NAN, NAN
    margin = float(stats.t.ppf(1 - ALPHA / 2, df)) * error
    return mean - margin, mean + margin, float(2 * stats.t.sf(abs(mean) / error, df))


def _ahead(differences: np.ndarray) -> np.ndarray:
    return np.where(differences > 0, 1.0, np.where(differences == 0, 0.5, 0.0))


@cache
def resolvable_effect(n: int, alpha: float = ALPHA) -> float:
    """The smallest effect, in SDs of the differences, that n pairs detect with 80 % power.

    For the two-sided paired t test at `alpha`; significance with the wrong sign is ignored (below
    0.0001). By quadrature, because solvers based on the noncentral t do not converge at small n.
    """
    critical = float(stats.t.ppf(1 - alpha / 2, n - 1))
    scales = np.sqrt(stats.chi2.ppf((np.arange(2000) + 0.5) / 2000, n - 1) / (n - 1))

    def power(shift: float) -> float:
        return float(stats.norm.cdf(shift - critical * scales).mean())

    shift = float(brentq(lambda shift: power(shift) - POWER, 0, 4 * critical + 4))
    return shift / float(n**0.5)


def resolvable_by_seeds(sd: float, seeds: Sequence[int]) -> pd.DataFrame:
    """The smallest difference between two configurations that n seeds of each detect, by n.

    80 % power, paired t test; seeds are taken as uncorrelated: the SD of a difference is sqrt(2)
    times that of a run, `sd`.
    """
    sizes = [sd * 2**0.5 * resolvable_effect(n) for n in seeds]
    return pd.DataFrame({"seeds": list(seeds), "resolvable": sizes})


def seeds_needed(effect: float, alpha: float = ALPHA) -> float:
    """The fewest pairs that detect this effect, in SDs; infinite if 1,000 are not enough."""
    low, high = 2, MOST_SEEDS
    if not effect > 0 or resolvable_effect(high, alpha) > effect:
        return float("inf")
    while low < high:
        middle = (low + high) // 2
        is_enough = resolvable_effect(middle, alpha) <= effect
        low, high = (low, middle) if is_enough else (middle + 1, high)
    return float(low)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p values corrected by Holm's method; NaN stays NaN and does not count."""
    # statsmodels' multipletests gives the same numbers, but collects all garbage in each call: that
    # takes 50 ms, and half a second in a large process
    values = np.array(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(values))
    ascending = known[np.argsort(values[known], kind="stable")]
    factors = np.arange(len(ascending), 0, -1)
    values[ascending] = np.minimum(np.maximum.accumulate(values[ascending] * factors), 1.0)
    return values


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a mean by Student's t; NaN for fewer than two values."""
    n = len(values)
    if n < 2:
        return NAN, NAN
    margin = float(stats.t.ppf(1 - ALPHA / 2, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return float(values.mean()) - margin, float(values.mean()) + margin
