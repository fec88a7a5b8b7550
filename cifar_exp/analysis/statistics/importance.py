"""How much of the differences between configurations each setting explains."""

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

RUNS_A_SETTING = 10  # configurations that a forest wants for each
TRUSTED_SCORE = 0.5  # share of the variance that a forest must predict out of bag
TREES = 200
PROBES = 20  # values of a setting at which a forest is asked
PLACES = 500  # combinations of the other settings at which it is asked


@dataclass(frozen=True)
class Importance:
    """`terms`: a row a setting, and on a full grid a pair: term, order, share, noise_share, p,
    p_holm, is_resolved. `is_estimated`: by a forest, which tests nothing. `warning` says why the
    shares should not be trusted, if so.
    """

    terms: pd.DataFrame
    method: str
    is_estimated: bool
    warning: str | None


class InsufficientDataError(Exception):
    """The runs cannot tell; the message says why."""


def importance(counted: pd.DataFrame, settings: Sequence[Factor]) -> Importance:
    """Exact shares on a full grid, else a forest's. Raises InsufficientDataError without either."""
    settings = [setting for setting in settings if counted[setting.key].nunique() > 1]
    if not settings:
        raise InsufficientDataError("no two configurations have completed runs")
    levels = [[v for v in s.levels if v in set(counted[s.key])] for s in settings]
    cells = counted.groupby([setting.key for setting in settings])["value"].mean()
    if cells.max() == cells.min():
        raise InsufficientDataError("all configurations came out alike")
    size = prod(len(values) for values in levels)
    if len(cells) == size:
        return _exact(counted, settings, levels)
    if len(cells) < RUNS_A_SETTING * len(settings):
        wanted = (
            f"{RUNS_A_SETTING * len(settings)} that a forest wants for {len(settings)} settings"
        )
        raise InsufficientDataError(
            f"{len(cells)} of {size:,} combinations have completed runs: not a full grid, and "
            f"fewer than the {wanted}"
        )
    return _by_forest(cells.reset_index(), settings)


def _exact(
    counted: pd.DataFrame, settings: Sequence[Factor], levels: Sequence[Sequence[str]]
) -> Importance:
    """Analysis of variance of the configurations' means (every combination weighs the same).

    noise_share is what chance alone would be expected to give a term: its degrees of freedom times
    the variance between seeds, over the number of seeds.
    """
    keys = [setting.key for setting in settings]
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
        names = [settings[axis].name for axis in axes]
        shares = {"share": squares / total, "noise_share": df * noise / total}
        rows.append({"term": " x ".join(names), "order": len(axes), **shares, "p": p})
    terms = pd.DataFrame(rows)
    terms["p_holm"] = holm(terms["p"].tolist())
    terms["is_resolved"] = terms["p_holm"] < ALPHA
    warning = None if df_noise else "one seed each: chance alone may explain any of these shares"
    return Importance(_ordered(terms), "exact, on the full grid of configurations", False, warning)


def _sums_of_squares(grid: np.ndarray) -> dict[tuple[int, ...], float]:
    """Of each setting and pair: squared effects over all cells (Hoeffding's decomposition)."""
    everywhere = range(grid.ndim)
    effects: dict[tuple[int, ...], np.ndarray] = {(): np.asarray(grid.mean())}
    for order in (1, 2):
        for axes in combinations(everywhere, order):
            others = tuple(axis for axis in everywhere if axis not in axes)
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

    Where all configurations have the same seeds, what a seed does to all of them is taken out.
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


def _by_forest(means: pd.DataFrame, settings: Sequence[Factor]) -> Importance:
    """First-order shares from a random forest (functional ANOVA after Hutter et al., ICML 2014)."""
    codes = np.column_stack([_codes(means[setting.key], setting) for setting in settings])
    forest = _fitted(codes, means["value"].to_numpy())
    # settings drawn independently of each other, each from its own values: shares then add up
    random = np.random.default_rng(0)
    places = np.column_stack([random.choice(column, PLACES) for column in codes.T])
    total = float(forest.predict(places).var()) or 1.0  # a forest that tells nothing apart
    shares = [_first_order(forest, places, column) / total for column in range(len(settings))]
    terms = pd.DataFrame({"term": [s.name for s in settings], "order": 1, "share": shares})
    terms = terms.assign(noise_share=np.nan, p=np.nan, p_holm=np.nan, is_resolved=False)
    score = float(forest.oob_score_)
    warning = (
        f"the forest predicts {max(score, 0):.0%} of the differences between configurations that "
        "it has not seen: the runs are too few to say"
    )
    told = f"a random forest over {len(means)} configurations"
    return Importance(_ordered(terms), told, True, None if score >= TRUSTED_SCORE else warning)


def _fitted(codes: np.ndarray, values: np.ndarray) -> Any:
    from sklearn.ensemble import RandomForestRegressor  # a second to import, and rarely needed

    forest = RandomForestRegressor(TREES, oob_score=True, min_samples_leaf=2, random_state=0)
    return forest.fit(codes, values)


def _codes(levels: pd.Series, setting: Factor) -> np.ndarray:
    if setting.is_numeric and ABSENT not in setting.levels:
        return np.asarray(levels, dtype=float)
    places = {level: place for place, level in enumerate(setting.levels)}
    return np.asarray(levels.map(places), dtype=float)


def _first_order(forest: Any, places: np.ndarray, column: int) -> float:
    """Variance of the forest's mean prediction as this setting alone takes its values."""
    probes = np.quantile(places[:, column], np.linspace(0, 1, PROBES), method="nearest")
    held = np.repeat(places[None], PROBES, axis=0)
    held[:, :, column] = probes[:, None]
    predicted = forest.predict(held.reshape(-1, places.shape[1]))
    return float(predicted.reshape(PROBES, -1).mean(1).var())


def _ordered(terms: pd.DataFrame) -> pd.DataFrame:
    return terms.sort_values("share", ascending=False, kind="stable", ignore_index=True)
