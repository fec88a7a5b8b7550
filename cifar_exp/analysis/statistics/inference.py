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


@dataclass(frozen=True)
class Difference:
    """`mean` of A less B. `low`, `high`, `p`, `resolvable` and `needed` are NaN where n < 2.

    n: pairs, or where seeds do not pair the smaller group. `probability`: that A's value exceeds
    B's, ties as halves. `resolvable`: the smallest true difference that n seeds resolve in four
    of five tries. `needed`: seeds that would resolve a difference of this size.
    """

    n: int
    is_paired: bool
    mean: float
    sd: float
    low: float
    high: float
    p: float
    probability: float
    resolvable: float
    needed: float


NOTHING = float("nan")


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
    n, mean = len(values), float(values.mean()) if len(values) else NOTHING
    probability = float(_ahead(values).mean()) if n else NOTHING
    if n < 2:
        return _unknown(n, True, mean, probability)
    sd = float(values.std(ddof=1))
    margin = float(stats.t.ppf(1 - ALPHA / 2, n - 1)) * sd / n**0.5
    p = two_sided(mean, sd / n**0.5, n - 1)
    resolvable = sd * resolvable_effect(n)
    needed = seeds_needed(abs(mean) / sd) if sd else NOTHING
    return Difference(
        n, True, mean, sd, mean - margin, mean + margin, p, probability, resolvable, needed
    )


def two_sided(mean: float, error: float, df: float) -> float:
    """p of a mean this far from zero; 1 where neither mean nor error is there at all."""
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / error, df))


def _welch(a: np.ndarray, b: np.ndarray) -> Difference:
    mean = float(a.mean() - b.mean()) if len(a) and len(b) else NOTHING
    n = min(len(a), len(b))
    probability = float(_ahead(a[:, None] - b[None, :]).mean()) if n else NOTHING
    if n < 2:
        return _unknown(n, False, mean, probability)
    parts = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
    error = float(parts.sum() ** 0.5)
    sizes = np.array([len(a) - 1, len(b) - 1])
    df = float(parts.sum() ** 2 / (parts**2 / sizes).sum()) if error else float(sizes.sum())
    margin = float(stats.t.ppf(1 - ALPHA / 2, df)) * error
    sd = error * n**0.5  # as of n differences with the same error
    needed = seeds_needed(abs(mean) / sd) if sd else NOTHING
    p, resolvable = two_sided(mean, error, df), sd * resolvable_effect(n)
    return Difference(
        n, False, mean, sd, mean - margin, mean + margin, p, probability, resolvable, needed
    )


def _unknown(n: int, is_paired: bool, mean: float, probability: float) -> Difference:
    """One value a group: a difference, and nothing that could be said about it."""
    nan = NOTHING
    return Difference(n, is_paired, mean, nan, nan, nan, nan, probability, nan, nan)


def _ahead(differences: np.ndarray) -> np.ndarray:
    return np.where(differences > 0, 1.0, np.where(differences == 0, 0.5, 0.0))


@cache
def resolvable_effect(n: int) -> float:
    """The smallest effect, in SDs of the differences, that n pairs resolve with 80 % power.

    Of the two-sided paired t test; the chance that it resolves the wrong sign is left out (below
    0.0001). statsmodels' solver does not come to an end at small n.
    """
    df, critical = n - 1, float(stats.t.ppf(1 - ALPHA / 2, n - 1))
    low, high = 2.5, 1.5 * critical + 1  # of the noncentrality: wide enough from n = 2 on
    shift = float(brentq(lambda ncp: stats.nct.sf(critical, df, ncp) - POWER, low, high))
    return shift / float(n**0.5)


def seeds_needed(effect: float) -> float:
    """The fewest pairs that resolve this effect; infinite where more than 1,000 would not do."""
    low, high = 2, MOST_SEEDS
    if not effect > 0 or resolvable_effect(high) > effect:
        return float("inf")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if resolvable_effect(middle) <= effect else (middle + 1, high)
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
        return NOTHING, NOTHING
    margin = float(stats.t.ppf(1 - ALPHA / 2, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return float(values.mean()) - margin, float(values.mean()) + margin
