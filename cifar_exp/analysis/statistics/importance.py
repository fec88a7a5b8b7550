"""How much of the variance between configurations each factor explains."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cifar_exp.analysis.statistics.configurations import seed_noise
from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.significance import ALPHA, holm

CONFIGURATIONS_PER_FACTOR = 10  # that a forest needs
TRUSTED_SCORE = 0.5  # the out-of-bag R^2 that a forest must reach
TREES = 200
PROBES = 20  # values of a factor at which a forest is evaluated
POINTS = 500  # combinations of the other factors at which it is evaluated


@dataclass(frozen=True)
class Importance:
    """Shares of the variance between configurations.

    `terms`: a row per factor and, on a full grid, per pair of factors: term, order, share,
    noise_share, p, p_holm, is_resolved. `is_estimated`: by a forest, without a test. `warning`: why
    the shares should not be trusted, if there is a reason.
    """

    terms: pd.DataFrame
    method: str
    is_estimated: bool
    warning: str | None


class InsufficientDataError(Exception):
    """The runs do not suffice; the message says why."""


def importance(counted: pd.DataFrame, factors: Sequence[Factor]) -> Importance:
    """Exact shares on a full grid, else a forest's estimate.

    Raises InsufficientDataError if there are too few runs for either.
    """
    factors = [factor for factor in factors if counted[factor.key].nunique() > 1]
    if not factors:
        raise InsufficientDataError("no two configurations have completed runs")
    levels = [[v for v in f.levels if v in set(counted[f.key])] for f in factors]
    cells = counted.groupby([factor.key for factor in factors])["value"].mean()
    if cells.max() == cells.min():
        raise InsufficientDataError("all configurations have the same mean")
    size = prod(len(values) for values in levels)
    if len(cells) == size:
        return _exact(counted, factors, levels)
    if len(cells) < CONFIGURATIONS_PER_FACTOR * len(factors):
        raise InsufficientDataError(
            f"{len(cells)} of {size:,} combinations have completed runs: not a full grid, and "
            f"fewer than the {CONFIGURATIONS_PER_FACTOR * len(factors)} that a random forest needs "
            f"for {len(factors)} settings"
        )
    return _by_forest(cells.reset_index(), factors)


def _exact(
    counted: pd.DataFrame, factors: Sequence[Factor], levels: Sequence[Sequence[str]]
) -> Importance:
    """Analysis of variance of the configurations' means, each with the same weight.

    noise_share: the share that a term is expected to have by chance alone, its degrees of freedom
    times the variance of a mean.
    """
    keys = [factor.key for factor in factors]
    means = counted.groupby(keys)["value"].mean()
    grid = means.reindex(pd.MultiIndex.from_product(levels, names=keys)).to_numpy()
    grid = grid.reshape([len(values) for values in levels])
    sums = _sums_of_squares(grid)
    total = float(((grid - grid.mean()) ** 2).sum())
    noise, df_noise = _noise(counted)
    rows = []
    for axes, squares in sums.items():
        df = prod(grid.shape[axis] - 1 for axis in axes)
        p = float(stats.f.sf(squares / df / noise, df, df_noise)) if df_noise and noise else np.nan
        names = [factors[axis].name for axis in axes]
        shares = {"share": squares / total, "noise_share": df * noise / total}
        rows.append({"term": " x ".join(names), "order": len(axes), **shares, "p": p})
    terms = pd.DataFrame(rows)
    terms["p_holm"] = holm(terms["p"].tolist())
    terms["is_resolved"] = terms["p_holm"] < ALPHA
    warning = None if df_noise else "with one seed each, any of these shares may be chance"
    return Importance(_ordered(terms), "exact, on the full grid of configurations", False, warning)


def _sums_of_squares(grid: np.ndarray) -> dict[tuple[int, ...], float]:
    """Sum of squared effects of each factor and pair (Hoeffding's decomposition), by its axes."""
    all_axes = range(grid.ndim)
    effects: dict[tuple[int, ...], np.ndarray] = {(): np.asarray(grid.mean())}
    for order in (1, 2):
        for axes in combinations(all_axes, order):
            others = tuple(axis for axis in all_axes if axis not in axes)
            effect = grid.mean(axis=others, keepdims=True)
            below = [a for size in range(order) for a in combinations(axes, size)]
            effects[axes] = effect - sum(effects[a] for a in below)
    return {
        axes: float((np.broadcast_to(effect, grid.shape) ** 2).sum())
        for axes, effect in effects.items()
        if axes
    }


def _noise(counted: pd.DataFrame) -> tuple[float, int]:
    """Variance of a configuration's mean by chance, and its degrees of freedom.

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


def _by_forest(means: pd.DataFrame, factors: Sequence[Factor]) -> Importance:
    """First-order shares from a random forest (functional ANOVA after Hutter et al., ICML 2014)."""
    codes = np.column_stack([_codes(means[factor.key], factor) for factor in factors])
    forest = _fitted(codes, means["value"].to_numpy())
    # factors are drawn independently, each from its own values, so that shares add up
    random = np.random.default_rng(0)
    points = np.column_stack([random.choice(column, POINTS) for column in codes.T])
    total = float(forest.predict(points).var()) or 1.0  # a constant forest has no variance
    shares = [_first_order(forest, points, column) / total for column in range(len(factors))]
    terms = pd.DataFrame({"term": [f.name for f in factors], "order": 1, "share": shares})
    terms = terms.assign(noise_share=np.nan, p=np.nan, p_holm=np.nan, is_resolved=False)
    score = float(forest.oob_score_)
    warning = (
        f"the forest predicts {max(score, 0):.0%} of the variance between configurations that it "
        "has not seen, so there are too few runs to trust it"
    )
    method = f"a random forest over {len(means)} configurations"
    return Importance(_ordered(terms), method, True, None if score >= TRUSTED_SCORE else warning)


def _fitted(codes: np.ndarray, values: np.ndarray) -> Any:
    from sklearn.ensemble import RandomForestRegressor  # takes a second to import, rarely needed

    forest = RandomForestRegressor(TREES, oob_score=True, min_samples_leaf=2, random_state=0)
    return forest.fit(codes, values)


def _codes(levels: pd.Series, factor: Factor) -> np.ndarray:
    if factor.is_numeric and ABSENT not in factor.levels:
        return np.asarray(levels, dtype=float)
    codes = {level: code for code, level in enumerate(factor.levels)}
    return np.asarray(levels.map(codes), dtype=float)


def _first_order(forest: Any, points: np.ndarray, column: int) -> float:
    """Variance of the forest's mean prediction over the values of only this factor."""
    probes = np.quantile(points[:, column], np.linspace(0, 1, PROBES), method="nearest")
    held = np.repeat(points[None], PROBES, axis=0)
    held[:, :, column] = probes[:, None]
    predicted = forest.predict(held.reshape(-1, points.shape[1]))
    return float(predicted.reshape(PROBES, -1).mean(1).var())


def _ordered(terms: pd.DataFrame) -> pd.DataFrame:
    return terms.sort_values("share", ascending=False, kind="stable", ignore_index=True)
