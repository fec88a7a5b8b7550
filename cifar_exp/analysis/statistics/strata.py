"""Mean squares of the model: seeds, seed x factor strata, and what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from cifar_exp.analysis.statistics.model import Observations

MOST_LEVELS = 12  # of a factor; more are values drawn at random rather than levels
MOST_COLUMNS = 600  # seed x level combinations that are still fitted
SEPARATE = 0.075  # p value below which a factor's stratum is its own (see benchmarks/power.py)
FEWEST_OWN = 4  # degrees of freedom of a stratum that judges a factor alone
NO_SCATTER = 1e-9  # a smaller SD, relative to the values, is rounding


Guard = Literal["none", "larger", "own"]  # against strata that are larger than the pooled one


@dataclass(frozen=True)
class MeanSquare:
    """A mean square and its degrees of freedom; NaN and 0 if there is none."""

    value: float
    df: float


NONE = MeanSquare(float("nan"), 0)


@dataclass(frozen=True)
class Strata:
    """The analysis of variance within configurations.

    `seed`: between seeds, if there are several. `error`: all that configurations and seeds leave.
    `own`: of that, the part of each seed x factor interaction by key, and `pooled` over factors;
    `residual`: the rest. `multiplicity`: runs that share a stratum's deviation, and `seed_weight`
    those that share a seed's. `seed_ratio`: the seeds' variance over that of the error; 0 where all
    configurations have the same seeds, as it changes no difference. `additive`: for runs with one
    seed each, what an additive model of the factors leaves, which contains their interactions.
    """

    seed: MeanSquare | None
    error: MeanSquare
    own: Mapping[str, MeanSquare]
    pooled: MeanSquare | None
    residual: MeanSquare
    multiplicity: float
    seed_weight: float
    seed_ratio: float
    additive: MeanSquare

    @property
    def keys(self) -> Sequence[str]:
        """The factors that have a stratum."""
        return list(self.own)

    def of(self, key: str, guard: Guard = "own") -> MeanSquare:
        """The stratum that judges a factor: the pooled one, unless its own is larger.

        `guard`: `none` pools in any case; `larger` takes the larger mean square; with `own`, the
        factor's own degrees of freedom count where it is significantly larger than the others,
        unless they are so few that hardly any difference would be significant.
        """
        assert self.pooled is not None
        own, pooled = self.own[key], self.pooled
        if guard == "none" or own.value <= pooled.value:
            return pooled
        if guard == "larger" or own.df < FEWEST_OWN:
            return MeanSquare(own.value, pooled.df)
        df = pooled.df - own.df
        others = (pooled.value * pooled.df - own.value * own.df) / df if df > 0 else 0.0
        is_other = others > 0 and special.fdtrc(own.df, df, own.value / others) < SEPARATE
        return own if is_other else MeanSquare(own.value, pooled.df)


def estimate_strata(seen: "Observations") -> Strata:
    """Sums of squares by least squares, each adjusted for all that precede it.

    Configurations are eliminated by subtracting their means from values and regressors (Frisch,
    Waugh and Lovell), which leaves a small regression on seeds and seed x level indicators.
    """
    values = _centered(seen.values[:, None], seen)[:, 0]
    total_df = len(values) - len(seen.names)
    scale = max(1.0, float(np.abs(seen.values).max())) * NO_SCATTER
    if not total_df:
        return _unreplicated(seen, scale)
    columns = _centered(_indicators(seen.seeds), seen)
    rank, fit = _projected(columns, values)
    error_df = total_df - rank
    error = _mean_square(float(((values - fit) ** 2).sum()), error_df, scale)
    seed = MeanSquare(float((fit**2).sum()) / rank, rank) if rank else None
    excess = float((fit**2).sum()) - rank * error.value if error_df else 0.0
    if error_df < rank and not _is_shared(seen):
        return _unblocked(values, total_df, scale)
    weight = float((columns**2).sum()) / rank if rank else 1.0
    ratio = 0.0
    if rank and error.df and not _is_shared(seen):
        ratio = max(excess, 0.0) / rank / weight / error.value
    own, pooled, residual, multiplicity = _seed_by_factor(seen, values, columns, fit, error, scale)
    return Strata(seed, error, own, pooled, residual, multiplicity, weight, ratio, NONE)


def _unblocked(values: np.ndarray, df: int, scale: float) -> Strata:
    """Runs as independent, where few seeds are shared: to estimate what seeds do costs too much.

    The scatter then contains the seeds' variance, which is too much for differences between runs of
    shared seeds, and right for others.
    """
    error = _mean_square(float((values**2).sum()), df, scale)
    return Strata(None, error, {}, None, error, 1.0, 1.0, 0.0, NONE)


def _seed_by_factor(
    seen: "Observations",
    values: np.ndarray,
    seeds: np.ndarray,
    seed_fit: np.ndarray,
    error: MeanSquare,
    scale: float,
) -> tuple[dict[str, MeanSquare], MeanSquare | None, MeanSquare, float]:
    """The strata by factor, pooled, what is left, and the multiplicity of a stratum's deviation."""
    nothing: tuple[dict[str, MeanSquare], None, MeanSquare, float] = ({}, None, error, 1.0)
    kept = [j for j in range(seen.levels.shape[1]) if seen.levels[:, j].max() < MOST_LEVELS]
    size = (seen.seeds.max() + 1) * sum(int(seen.levels[:, j].max()) + 1 for j in kept)
    if len(kept) < 2 or not error.df or not seed_fit.any() or size > MOST_COLUMNS:
        return nothing
    blocks = {j: _centered(_indicators(seen.seeds, seen.levels[:, j]), seen) for j in kept}
    rank, fit = _projected(np.hstack([seeds, *blocks.values()]), values)
    seed_rank = np.linalg.matrix_rank(seeds)
    residual_df = len(values) - len(seen.names) - rank
    pooled_df = rank - seed_rank
    if residual_df < 1 or pooled_df < 1:
        return nothing
    squares = float((fit**2).sum() - (seed_fit**2).sum())
    residual = _mean_square(float(((values - fit) ** 2).sum()), residual_df, scale)
    own = {}
    for j in kept:
        others = np.hstack([seeds, *(block for i, block in blocks.items() if i != j)])
        other_rank, other_fit = _projected(others, values)
        df = rank - other_rank
        if df:
            own_squares = float((fit**2).sum() - (other_fit**2).sum())
            own[seen.keys[j]] = MeanSquare(max(own_squares, 0.0) / df, df)
    adjusted = {j: block - _projected(seeds, block)[1] for j, block in blocks.items()}
    weight = sum(float(adjusted[j].ravel() @ block.ravel()) for j, block in blocks.items())
    return own, _mean_square(squares, pooled_df, scale), residual, weight / pooled_df


def _unreplicated(seen: "Observations", scale: float) -> Strata:
    """With one run per configuration, the error is what an additive model leaves."""
    additive = NONE
    if seen.levels.shape[1] > 1 and seen.levels.max(initial=0) < MOST_LEVELS:
        columns = np.hstack([np.ones((len(seen.values), 1)), *map(_indicators, seen.levels.T)])
        rank, fit = _projected(columns, seen.values)
        additive = _mean_square(
            float(((seen.values - fit) ** 2).sum()), len(seen.values) - rank, scale
        )
    return Strata(None, NONE, {}, None, NONE, 1.0, 1.0, 0.0, additive)


def _mean_square(squares: float, df: int, scale: float) -> MeanSquare:
    """NONE without degrees of freedom, or where all scatter is rounding."""
    if df < 1 or squares / df < scale**2:
        return NONE
    return MeanSquare(squares / df, df)


def _is_shared(seen: "Observations") -> bool:
    """Whether all configurations have the same seeds."""
    return len(seen.values) == len(seen.names) * (int(seen.seeds.max()) + 1)


def _indicators(*codes: np.ndarray) -> np.ndarray:
    """A column of 0 and 1 for each combination of codes that occurs."""
    _, joint = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    columns = np.zeros((len(joint), joint.max() + 1))
    columns[np.arange(len(joint)), joint.ravel()] = 1.0
    return columns


def _centered(columns: np.ndarray, seen: "Observations") -> np.ndarray:
    """Columns less their means within each configuration."""
    order = np.argsort(seen.cells, kind="stable")
    starts = np.flatnonzero(np.diff(seen.cells[order], prepend=-1))
    means = np.add.reduceat(columns[order], starts) / seen.counts[:, None]
    return np.asarray(columns - means[seen.cells])


def _projected(columns: np.ndarray, values: np.ndarray) -> tuple[int, np.ndarray]:
    """The rank of the columns, and the projection of the values onto them."""
    basis = _basis(columns)
    return basis.shape[1], np.asarray(basis @ (basis.T @ values))


def _basis(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns' span, by the eigenvectors of their small Gram matrix."""
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)
    return np.asarray(columns @ (vectors[:, kept] / np.sqrt(values[kept])))
