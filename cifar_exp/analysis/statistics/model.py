"""One linear model for a comparison group: a mean per configuration, with the seed as a block."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.scatter import (
    NO_SCATTER,
    Scatter,
    within_configurations,
)
from cifar_exp.analysis.statistics.strata import Guard, MeanSquare, Strata, estimate_strata

MOST_STRATA_CONTRASTS = 200  # between configurations; of more, the residual alone is used


@dataclass(frozen=True)
class Observations:
    """The counted runs as codes: `cells` (N,), `seeds` (N,), `levels` (N, factors), `values` (N,).

    `names` are the configurations in the order of their codes; `keys` the factors' settings.
    """

    values: np.ndarray
    cells: np.ndarray
    seeds: np.ndarray
    levels: np.ndarray
    names: Sequence[str]
    keys: Sequence[str]

    @cached_property
    def counts(self) -> np.ndarray:
        """Runs per configuration, (cells,)."""
        return np.bincount(self.cells, minlength=len(self.names))


@dataclass(frozen=True)
class Variance:
    """Variances of contrasts (m,) and their degrees of freedom (m,); NaN if unknown."""

    values: np.ndarray
    df: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Standard errors."""
        return np.asarray(np.sqrt(self.values))


class CellModel:
    """Generalized least squares with a fixed mean per configuration and a random effect per seed.

    Where every configuration has the same seeds, the means are plain means, whatever the seeds'
    variance. Otherwise runs of seeds that not all configurations share are weighted by that
    variance, which is estimated by the method of moments (Henderson's method III, Biometrics 1953).
    Runs of one seed that share a level may have a common deviation, as the same seed with the same
    width starts from the same weights: its variance comes from the seed x factor strata.
    """

    def __init__(self, observations: Observations, strata: Strata) -> None:
        self.observations, self.strata = observations, strata
        self.names = list(observations.names)
        self.counts = observations.counts
        self.index = {name: i for i, name in enumerate(self.names)}
        self.means = self._means()

    @cached_property
    def scatter(self) -> Scatter:
        """The scatter within each configuration."""
        seen = self.observations
        return within_configurations(seen.values, seen.cells, self.counts)

    def weights(self, contrasts: np.ndarray) -> np.ndarray:
        """How each run enters contrasts of the configurations' means: (m, cells) to (m, N)."""
        seen, ratio = self.observations, self.strata.seed_ratio
        if ratio == 0:
            return np.asarray((contrasts / self.counts)[:, seen.cells])
        shrink = self._shrink
        inner = np.diag(1 / shrink) - (self._incidence.T / self.counts) @ self._incidence
        scaled = contrasts / self.counts
        solved = scaled + (
            np.linalg.solve(inner, (scaled @ self._incidence).T).T
            @ (self._incidence.T / self.counts)
        )
        spread = solved[:, seen.cells]
        sums = solved @ self._incidence
        return np.asarray(spread - (sums * shrink)[:, seen.seeds])

    def variance(self, contrasts: np.ndarray, guard: Guard = "own") -> Variance:
        """Variances of contrasts (m, cells) between configurations, from strata and residual.

        A contrast's variance is estimated without bias from the two mean squares that its own
        design calls for; degrees of freedom by Satterthwaite (Biometrics 1946). `guard`: see
        `Strata.of`.
        """
        strata = self.strata
        if not strata.error.df or len(contrasts) > MOST_STRATA_CONTRASTS:
            squares = (contrasts**2 / self.counts).sum(axis=1)
            error = strata.error if strata.error.df else strata.additive
            return _scaled(error, squares)
        weights = self.weights(contrasts)
        squares = (weights**2).sum(axis=1)
        if strata.pooled is None:
            return self._with_seeds(weights, _scaled(strata.error, squares))
        shares = self._strata_shares(weights) / strata.multiplicity
        used = [strata.of(key, guard) for key in strata.keys]
        parts = shares * [stratum.value for stratum in used]
        is_own = np.array([stratum.df != strata.pooled.df for stratum in used])
        in_residual = np.maximum(squares - shares.sum(axis=1), 0) * strata.residual.value
        total = parts.sum(axis=1) + in_residual
        terms = parts[:, ~is_own].sum(axis=1) ** 2 / strata.pooled.df
        terms = terms + (parts**2 / [stratum.df for stratum in used])[:, is_own].sum(axis=1)
        if strata.residual.df:
            terms = terms + in_residual**2 / strata.residual.df
        with np.errstate(invalid="ignore", divide="ignore"):
            df = np.where(total > 0, total**2 / terms, np.nan)
        return self._with_seeds(weights, Variance(total, df))

    def error_variance(self, contrasts: np.ndarray) -> Variance:
        """Variances of contrasts by the residual with all strata in it.

        For contrasts that no stratum enters, such as interactions, it can only be too large.
        """
        strata = self.strata
        if not strata.error.df:
            return self.variance(contrasts)
        if len(contrasts) > MOST_STRATA_CONTRASTS or strata.seed_ratio == 0:
            return _scaled(strata.error, (contrasts**2 / self.counts).sum(axis=1))
        weights = self.weights(contrasts)
        return self._with_seeds(weights, _scaled(strata.error, (weights**2).sum(axis=1)))

    def own_variance(self, contrasts: np.ndarray) -> Variance | None:
        """Variances from each configuration's own scatter (Welch), if that is uneven; else None."""
        scatter = self.scatter
        if not scatter.is_uneven:
            return None
        parts = contrasts**2 * scatter.variances / self.counts
        total = parts.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            df = total**2 / (parts**2 / scatter.df).sum(axis=1)
        return Variance(total, np.maximum(df, scatter.df.min()))

    def mean_variance(self) -> Variance:
        """Variances of the means themselves, (cells,): they contain the seeds' common effect."""
        strata, size = self.strata, len(self.names)
        seed, error = strata.seed, strata.error
        if size > 1 and not error.df:
            return _scaled(MeanSquare(np.nan, 0), 1 / self.counts)
        if seed is None or size == 1:  # of one configuration the seeds are all the scatter
            pooled = self.scatter.pooled
            if not pooled > NO_SCATTER:  # equal seeds tell no scatter
                return _scaled(MeanSquare(np.nan, 0), 1 / self.counts)
            plain = MeanSquare(pooled, float(self.scatter.total_df))
            return _scaled(plain, 1 / self.counts)
        share = 1 / strata.seed_weight
        between, within = share * seed.value, (1 - share) * error.value
        total = between + within
        df = total**2 / (between**2 / seed.df + within**2 / error.df) if total else np.nan
        return _scaled(MeanSquare(total, df), 1 / self.counts)

    def _with_seeds(self, weights: np.ndarray, other: Variance) -> Variance:
        """Add the seeds' variance to contrasts in which not every seed's runs cancel."""
        seed, error, ratio = self.strata.seed, self.strata.error, self.strata.seed_ratio
        if seed is None or ratio == 0:
            return other
        share = ((weights @ self._by_seed) ** 2).sum(axis=1) / self.strata.seed_weight
        total = other.values + share * (seed.value - error.value)
        terms = other.values**2 / other.df
        terms += share**2 * (seed.value**2 / seed.df + error.value**2 / error.df)
        return Variance(total, total**2 / terms)

    @cached_property
    def _by_seed(self) -> np.ndarray:
        """Whether a run has a seed: (N, seeds), 0 or 1."""
        codes = self.observations.seeds
        return np.asarray((codes[:, None] == np.arange(codes.max() + 1)).astype(float))

    @cached_property
    def _incidence(self) -> np.ndarray:
        """Whether a configuration has a run of a seed: (cells, seeds), 0 or 1."""
        seen = self.observations
        table = np.zeros((len(self.names), seen.seeds.max() + 1))
        table[seen.cells, seen.seeds] = 1.0
        return table

    @cached_property
    def _shrink(self) -> np.ndarray:
        """What is subtracted of a seed's sum, by its number of runs: the inverse of its block."""
        ratio = self.strata.seed_ratio
        return np.asarray(ratio / (1 + ratio * self._incidence.sum(axis=0)))

    def _means(self) -> np.ndarray:
        seen = self.observations
        if self.strata.seed_ratio == 0:
            return np.asarray(np.bincount(seen.cells, seen.values) / self.counts)
        centered = seen.values - seen.values.mean()  # far from 0, the sums would lose digits
        sums = np.bincount(seen.seeds, centered)
        reduced = centered - (self._shrink * sums)[seen.seeds]
        scaled = np.bincount(seen.cells, reduced) / self.counts
        inner = np.diag(1 / self._shrink) - (self._incidence.T / self.counts) @ self._incidence
        fitted = self._incidence @ np.linalg.solve(inner, self._incidence.T @ scaled) / self.counts
        return np.asarray(scaled + fitted + seen.values.mean())

    def _strata_shares(self, weights: np.ndarray) -> np.ndarray:
        """Sums of squares of each contrast's weights per seed and level: (m, factors)."""
        seen = self.observations
        columns = [seen.keys.index(key) for key in self.strata.keys]
        shares = np.empty((len(weights), len(columns)))
        for j, column in enumerate(columns):
            codes = seen.levels[:, column]
            groups = seen.seeds * (codes.max() + 1) + codes
            order = np.argsort(groups, kind="stable")
            starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
            shares[:, j] = (np.add.reduceat(weights[:, order], starts, axis=1) ** 2).sum(axis=1)
        return shares


def fit_cells(counted: pd.DataFrame, factors: Sequence[Factor]) -> CellModel:
    """The model of the counted runs; `factors` are those that vary."""
    observations = observe(counted, factors)
    return CellModel(observations, estimate_strata(observations))


def observe(counted: pd.DataFrame, factors: Sequence[Factor]) -> Observations:
    """The counted runs as codes."""
    cells, names = pd.factorize(counted["configuration"])
    seeds, _ = pd.factorize(counted["seed"])
    levels = [pd.factorize(counted[factor.key])[0] for factor in factors]
    codes = np.array(levels, dtype=int).T.reshape(len(counted), len(factors))
    values = counted["value"].to_numpy(dtype=float)
    return Observations(values, cells, seeds, codes, list(names), [f.key for f in factors])


def _scaled(mean_square: MeanSquare, squares: np.ndarray) -> Variance:
    df = mean_square.df if mean_square.df else np.nan
    value = mean_square.value if mean_square.df else np.nan
    return Variance(value * squares, np.full(len(squares), float(df)))
