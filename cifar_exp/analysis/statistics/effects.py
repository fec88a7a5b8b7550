"""Factor effects and interactions, each family with simultaneous intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.contrasts import Contrast
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.model import CellModel, Variance
from cifar_exp.analysis.statistics.simultaneous import Differences, correlated
from cifar_exp.analysis.statistics.verdicts import COLUMNS, Judgment, judge

EFFECT_COLUMNS = ("setting", "name", "level", "reference", *COLUMNS, "averaged_over", "basis")
INTERACTION_COLUMNS = (
    "setting", "other", "name", "other_name", "level", "reference", "other_level",
    "other_reference", *COLUMNS, "averaged_over", "basis",
)  # fmt: skip


@dataclass(frozen=True)
class ContrastFamily:
    """Contrasts that are claimed together, with their differences; None without any scatter."""

    contrasts: Sequence[Contrast]
    means: np.ndarray
    differences: Differences | None


def effect_family(model: CellModel, contrasts: Sequence[Contrast]) -> ContrastFamily:
    """Main effects, each tested against its factor's seed x factor stratum.

    Where each compares two configurations, uneven scatter widens its interval as in comparisons.
    """
    weights = _matrix(model, contrasts)
    own = model.own_variance(weights) if all(c.is_of_two for c in contrasts) else None
    return _family(model, contrasts, weights, model.variance(weights), own)


def interaction_family(model: CellModel, contrasts: Sequence[Contrast]) -> ContrastFamily:
    """Interactions, tested against the residual; uneven scatter can only widen their intervals.

    The residual contains the seed x factor strata. Interactions do not, so it is never too small.
    """
    weights = _matrix(model, contrasts)
    variance = model.error_variance(weights)
    return _family(model, contrasts, weights, variance, model.own_variance(weights))


def effect_table(
    family: ContrastFamily, factors: Sequence[Factor], judgment: Judgment, alpha: float
) -> pd.DataFrame:
    """A row per level of each factor: see EFFECT_COLUMNS."""
    names = {factor.key: factor.name for factor in factors}
    table = judge(family.differences, family.means, judgment, alpha)
    rows = family.contrasts
    table = table.assign(
        setting=[c.keys[0] for c in rows],
        name=[names[c.keys[0]] for c in rows],
        level=[c.levels[0] for c in rows],
        reference=[c.references[0] for c in rows],
        averaged_over=[c.over for c in rows],
        basis=[c.basis for c in rows],
    )
    return table[list(EFFECT_COLUMNS)]


def interaction_table(
    family: ContrastFamily, factors: Sequence[Factor], judgment: Judgment, alpha: float
) -> pd.DataFrame:
    """A row per pair of levels: see INTERACTION_COLUMNS. A verdict is of a difference of effects:
    better means that the metric gains more than the two effects add up to.
    """
    names = {factor.key: factor.name for factor in factors}
    table = judge(family.differences, family.means, judgment, alpha)
    rows = family.contrasts
    table = table.assign(
        setting=[c.keys[0] for c in rows],
        other=[c.keys[1] for c in rows],
        name=[names[c.keys[0]] for c in rows],
        other_name=[names[c.keys[1]] for c in rows],
        level=[c.levels[0] for c in rows],
        reference=[c.references[0] for c in rows],
        other_level=[c.levels[1] for c in rows],
        other_reference=[c.references[1] for c in rows],
        averaged_over=[c.over for c in rows],
        basis=[c.basis for c in rows],
    )
    return table[list(INTERACTION_COLUMNS)]


def _matrix(model: CellModel, contrasts: Sequence[Contrast]) -> np.ndarray:
    return np.array([c.weights for c in contrasts]).reshape(len(contrasts), len(model.names))


def _family(
    model: CellModel,
    contrasts: Sequence[Contrast],
    weights: np.ndarray,
    variance: Variance,
    own: Variance | None,
) -> ContrastFamily:
    means = weights @ model.means
    if not len(contrasts) or not np.isfinite(variance.values).any():
        return ContrastFamily(contrasts, means, None)
    scaled = weights / np.sqrt(model.counts)
    norms = np.sqrt((scaled**2).sum(axis=1))
    correlation = (scaled @ scaled.T) / np.outer(norms, norms)
    wider = None if own is None else (own.errors, own.df)
    family = correlated(correlation)
    return ContrastFamily(
        contrasts, means, Differences(family, means, variance.errors, variance.df, wider)
    )
