"""A model of what the settings do, for runs that are no full grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import ABSENT, Factor, parse_number
from cifar_exp.analysis.statistics.gaussian_process import GaussianProcess, draw, fit_process
from cifar_exp.analysis.statistics.slices import is_logarithmic
from cifar_exp.analysis.statistics.threads import one_thread

MOST_LEVELS = 12  # more are values drawn at random rather than levels
FEWEST = 10  # configurations; fewer cannot be held out and predicted
MOST_USED = 400  # configurations
FOLDS = 5
ONE_SIDED = 1.645  # normal quantile: 5 % of models that know nothing seem to predict something


class InsufficientDataError(Exception):
    """There are too few runs; the message says why."""


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process over the configurations' means.

    `levels`: of each factor, those that the process knows, in order. `score`: the share of the
    variance between configurations that it predicts where it has not seen them (held-out R^2).
    `used` of `total` configurations were taken.
    """

    factors: Sequence[Factor]
    levels: Sequence[Sequence[str]]
    process: GaussianProcess
    score: float
    used: int
    total: int

    def axis(self, factor: Factor) -> int:
        """The number of the factor's axis."""
        return [own.key for own in self.factors].index(factor.key)

    def expected(self, levels: Mapping[str, str]) -> float:
        """The mean that it predicts for a configuration, given each setting's level by its key.

        Unlike the configuration's own result, it is not flattered where the configuration was
        picked for that result. An unknown number is replaced by the nearest known one; NaN if a
        word is unknown.
        """
        codes = [
            _code_of(levels[factor.key], known)
            for factor, known in zip(self.factors, self.levels, strict=True)
        ]
        if None in codes:
            return float("nan")
        return float(self.process.predict(np.array([codes], dtype=int))[0])

    @property
    def description(self) -> str:
        """`a Gaussian process fitted to 60 configurations`."""
        total = f" of {self.total:,}" if self.used < self.total else ""
        return f"a Gaussian process fitted to {self.used}{total} configurations"


def fit_surrogate(counted: pd.DataFrame, factors: Sequence[Factor]) -> Surrogate:
    """The surrogate of runs that are no full grid.

    Of more than 400 configurations, it takes 400, drawn the same way each time.

    The levels of a number are placed evenly; more than 12 are placed by their values or, if these
    are spaced logarithmically, by their logarithms. All words are equally far apart. A setting that
    a run does not have lies in the middle of its values; it is kept apart from them only if no
    other factor says that the setting is missing.

    Raises InsufficientDataError if the configurations are a full grid, or if it predicts nothing of
    those that it has not seen, by five-fold cross-validation in which everything is refitted.
    """
    factors = varied_factors(counted, factors)
    if not needs_surrogate(counted, factors):
        raise InsufficientDataError("the configurations are a full grid, which needs no model")
    keys = [factor.key for factor in factors]
    means = counted.groupby(keys)["value"].mean().reset_index()
    fewest = max(FEWEST, 2 * len(factors))
    if len(means) < fewest:
        raise InsufficientDataError(
            f"the {len(means)} configurations are not a full grid, and a model of {len(factors)} "
            f"settings needs at least {fewest}"
        )
    used = means.iloc[draw(len(means), MOST_USED)]
    levels = [present_levels(used, factor) for factor in factors]
    distances = [_distances(used, f, known) for f, known in zip(factors, levels, strict=True)]
    values = used["value"].to_numpy(dtype=float)
    with one_thread():
        codes = _codes(used, factors, levels)
        score, margin = _held_out(distances, codes, values)
        if not score > margin:
            raise InsufficientDataError(
                f"a Gaussian process fitted to {len(used)} configurations cannot predict those "
                f"left out (held-out R2 {score:.2f})"
            )
        process = fit_process(distances, codes, values)
    return Surrogate(factors, levels, process, score, len(used), len(means))


def varied_factors(counted: pd.DataFrame, factors: Sequence[Factor]) -> list[Factor]:
    """The factors with at least two levels among the counted runs.

    Raises InsufficientDataError if there is none, or if all configurations have the same mean.
    """
    varied = [factor for factor in factors if counted[factor.key].nunique() > 1]
    if not varied:
        raise InsufficientDataError("no two configurations have completed runs")
    if counted.groupby("configuration")["value"].mean().nunique() == 1:
        raise InsufficientDataError("all configurations have the same mean")
    return varied


def needs_surrogate(counted: pd.DataFrame, factors: Sequence[Factor]) -> bool:
    """Whether the configurations are no full grid, or one of values drawn at random."""
    sizes = [counted[factor.key].nunique() for factor in factors]
    is_drawn = any(
        factor.is_numeric and size > MOST_LEVELS
        for factor, size in zip(factors, sizes, strict=True)
    )
    return counted["configuration"].nunique() < prod(sizes) or (len(factors) == 1 and is_drawn)


def present_levels(table: pd.DataFrame, factor: Factor) -> list[str]:
    """The factor's levels among these runs, in order."""
    present = set(table[factor.key])
    return [level for level in factor.levels if level in present]


def _code_of(level: str, known: Sequence[str]) -> int | None:
    if level in known:
        return list(known).index(level)
    number = parse_number(level)
    distances = {
        code: abs(value - number)
        for code, other in enumerate(known)
        if number is not None and (value := parse_number(other)) is not None
    }
    return min(distances, key=lambda code: distances[code]) if distances else None


def _codes(
    table: pd.DataFrame, factors: Sequence[Factor], levels: Sequence[Sequence[str]]
) -> np.ndarray:
    columns = [
        table[factor.key].map({level: code for code, level in enumerate(known)})
        for factor, known in zip(factors, levels, strict=True)
    ]
    return np.column_stack(columns).astype(int)


def _distances(table: pd.DataFrame, factor: Factor, levels: Sequence[str]) -> np.ndarray:
    """Squared distances of the factor's levels: 1 between the ends, and between any two words."""
    is_absent = np.array([level == ABSENT for level in levels])
    if not factor.is_numeric:
        return 1.0 - np.eye(len(levels))
    positions = np.full(len(levels), 0.5)
    positions[~is_absent] = _positions([level for level in levels if level != ABSENT])
    squared = np.subtract.outer(positions, positions) ** 2
    if _is_implied_by_another(table, factor):
        return np.asarray(squared)
    return np.asarray(squared + np.not_equal.outer(is_absent, is_absent))


def _positions(levels: Sequence[str]) -> np.ndarray:
    """From 0 to 1: levels evenly, drawn values as on a linear or a logarithmic axis."""
    if len(levels) <= MOST_LEVELS:
        return np.linspace(0, 1, len(levels))
    values = pd.Series([float(level) for level in levels])
    scaled = np.log(values) if is_logarithmic(values) else values
    return np.asarray((scaled - scaled.iloc[0]) / (scaled.iloc[-1] - scaled.iloc[0]))


def _is_implied_by_another(table: pd.DataFrame, factor: Factor) -> bool:
    is_absent = table[factor.key] == ABSENT
    others = table.columns.drop(["value", factor.key])
    return any(is_absent.groupby(table[key]).nunique().max() == 1 for key in others)


def _held_out(
    distances: Sequence[np.ndarray], codes: np.ndarray, values: np.ndarray
) -> tuple[float, float]:
    """R^2 on configurations left out of the fit, and what it must exceed to be more than chance."""
    gains, squares = np.empty(len(values)), np.empty(len(values))
    order = np.random.default_rng(0).permutation(len(values))
    for fold in range(FOLDS):
        left_out = order[fold::FOLDS]
        kept = np.setdiff1d(order, left_out)
        predicted = fit_process(distances, codes[kept], values[kept]).predict(codes[left_out])
        squares[left_out] = (values[left_out] - values[kept].mean()) ** 2
        gains[left_out] = squares[left_out] - (values[left_out] - predicted) ** 2
    error = gains.std(ddof=1) / len(gains) ** 0.5
    return float(gains.mean() / squares.mean()), float(ONE_SIDED * error / squares.mean())
