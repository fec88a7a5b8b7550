"""How far each factor moves the metric, and how much of the variance it explains."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.configurations import seed_noise
from cifar_exp.analysis.statistics.decomposition import (
    decompose,
    omega,
    omega_interval,
    sums_of_squares,
)
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.surrogate import (
    InsufficientDataError,
    Surrogate,
    needs_surrogate,
    present_levels,
    varied_factors,
)


@dataclass(frozen=True)
class Importance:
    """The functional ANOVA of the configurations' means: a row per factor and pair of factors.

    `terms`: term, order (1 or 2), share of the variance between configurations, omega (the share
    without what chance adds, as in omega squared) with its 95 % interval, low and high (all NaN if
    estimated or with one seed each), range (highest minus lowest marginal mean of a factor, in
    stored units; NaN for a pair). Shares add up to at most 1; the rest belongs to higher orders.
    `is_estimated`: from a surrogate, whose held-out R^2 is `score`; on a full grid the shares are
    exact and `score` is 1.
    """

    terms: pd.DataFrame
    method: str
    is_estimated: bool
    score: float


def importance(
    counted: pd.DataFrame, factors: Sequence[Factor], surrogate: Surrogate | str
) -> Importance:
    """Exact on a full grid, where all configurations weigh the same; else the surrogate's.

    `surrogate`: what stands for the runs that are no full grid, or why nothing does. Raises
    InsufficientDataError with that reason.
    """
    if isinstance(surrogate, Surrogate):
        return _estimated(surrogate)
    varied = varied_factors(counted, factors)
    if needs_surrogate(counted, varied):
        raise InsufficientDataError(surrogate)
    keys = [factor.key for factor in varied]
    means = counted.groupby(keys)["value"].mean()
    levels = [present_levels(counted, factor) for factor in varied]
    grid = means.reindex(pd.MultiIndex.from_product(levels, names=keys)).to_numpy()
    grid = grid.reshape([len(values) for values in levels])
    terms = _exact_terms(grid, [factor.name for factor in varied], *_noise(counted))
    return Importance(_ordered(terms), "exact, on the full grid of configurations", False, 1.0)


def _estimated(surrogate: Surrogate) -> Importance:
    """The decomposition of the surrogate's mean, over the values that were drawn.

    Each factor's values weigh as often as they were drawn, whatever the other factors' are. The
    total is of the same measure, so shares cannot exceed 1 (Hutter et al., ICML 2014, do this for
    the trees of a forest).
    """
    names = [factor.name for factor in surrogate.factors]
    singles = [(axis,) for axis in range(len(names))]
    pairs = list(combinations(range(len(names)), 2))
    everything = tuple(range(len(names)))
    *found, total = surrogate.process.variance_by_axes([*singles, *pairs, everything])
    if not total > 0:
        raise InsufficientDataError(f"{surrogate.description} is constant")
    alone, together = np.array(found[: len(names)]), found[len(names) :]
    rows: list[dict[str, object]] = [
        {
            "term": names[axis],
            "order": 1,
            "share": alone[axis] / total,
            "range": _span(surrogate, axis),
        }
        for axis in everything
    ]
    for (a, b), variance in zip(pairs, together, strict=True):
        share = max(variance - alone[a] - alone[b], 0.0) / total
        rows.append({"term": f"{names[a]} x {names[b]}", "order": 2, "share": share})
    terms = pd.DataFrame(rows).assign(omega=np.nan, low=np.nan, high=np.nan)
    return Importance(_ordered(terms), surrogate.description, True, surrogate.score)


def _exact_terms(grid: np.ndarray, names: Sequence[str], noise: float, df: int) -> pd.DataFrame:
    """`noise`: the variance of a cell's mean by chance with its degrees of freedom, NaN and 0 if
    unknown.
    """
    squares, total = sums_of_squares(grid[None])
    low, high = omega_interval(grid, noise, df)
    rows = [
        {
            "term": " x ".join(names[axis] for axis in axes),
            "order": len(axes),
            "range": float(np.ptp(effect)) if len(axes) == 1 else np.nan,
        }
        for axes, effect in decompose(grid[None]).items()
    ]
    shares = {"share": squares[0] / total[0], "omega": omega(grid[None], noise)[0]}
    return pd.DataFrame(rows).assign(**shares, low=low, high=high)


def _noise(counted: pd.DataFrame) -> tuple[float, int]:
    """Variance of a configuration's mean by chance, and its degrees of freedom.

    NaN and 0 with one seed each.

    If all configurations have the same seeds, the seeds' common effects are subtracted.
    """
    table = counted.pivot(index="configuration", columns="seed", values="value")
    if table.isna().to_numpy().any() or table.shape[1] < 2:
        sd, df = seed_noise(counted)
        sizes = counted.groupby("configuration").size()
        return (sd**2 * float((1 / sizes).mean()) if df else float("nan")), df
    values = table.to_numpy()
    rest = values - values.mean(1, keepdims=True) - values.mean(0, keepdims=True) + values.mean()
    df = (values.shape[0] - 1) * (values.shape[1] - 1)
    return float((rest**2).sum() / df / values.shape[1]), df


def _span(surrogate: Surrogate, axis: int) -> float:
    mean, _ = surrogate.process.conditional({axis: np.arange(len(surrogate.levels[axis]))})
    return float(np.ptp(mean))


def _ordered(terms: pd.DataFrame) -> pd.DataFrame:
    columns = ["term", "order", "share", "omega", "low", "high", "range"]
    return terms.sort_values("share", ascending=False, kind="stable", ignore_index=True)[columns]
