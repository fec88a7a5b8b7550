"""Every configuration against one reference: the baseline, or else the best."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.model import CellModel, Variance
from cifar_exp.analysis.statistics.simultaneous import Differences, Family, against_one, all_pairs
from cifar_exp.analysis.statistics.verdicts import COLUMNS, Judgment, judge

COMPARISON_COLUMNS = ("configuration", "reference", *COLUMNS)


@dataclass(frozen=True)
class Comparisons:
    """Every other configuration minus the reference; `names` in the model's order."""

    reference: str
    names: list[str]
    means: np.ndarray
    differences: Differences | None


def compare_with_baseline(model: CellModel, baseline: str) -> Comparisons:
    """Dunnett's comparisons with a reference that was named in advance."""
    others, weights = _weights(model, baseline)
    variance = model.variance(weights, "larger")
    shares = 1 / (1 + model.counts[model.index[baseline]] / model.counts[others])
    family = against_one(shares, is_two_sided=True)
    return _comparisons(model, baseline, others, weights, variance, family)


def compare_with_best(model: CellModel, best: str) -> Comparisons:
    """Comparisons with the best, as one of all pairs (Tukey and Kramer).

    The reference was picked by the same runs; intervals for all pairs hold whichever it is. The
    pooled strata are used without a guard: of all pairs, only those with the best are claimed.
    """
    others, weights = _weights(model, best)
    variance = model.variance(weights, "none")
    family = all_pairs(len(model.names))
    return _comparisons(model, best, others, weights, variance, family)


def comparison_table(found: Comparisons, judgment: Judgment, alpha: float) -> pd.DataFrame:
    """A row per configuration, the best first: see COMPARISON_COLUMNS."""
    table = judge(found.differences, found.means, judgment, alpha)
    table.insert(0, "configuration", found.names)
    table.insert(1, "reference", found.reference)
    order = (-judgment.metric.sign * table["mean"]).argsort(kind="stable")
    return table.iloc[order].reset_index(drop=True)[list(COMPARISON_COLUMNS)]


def _weights(model: CellModel, reference: str) -> tuple[np.ndarray, np.ndarray]:
    base = model.index[reference]
    others = np.array([i for i in range(len(model.names)) if i != base], dtype=int)
    weights = np.zeros((len(others), len(model.names)))
    weights[np.arange(len(others)), others] = 1.0
    weights[:, base] = -1.0
    return others, weights


def _comparisons(
    model: CellModel,
    reference: str,
    others: np.ndarray,
    weights: np.ndarray,
    variance: Variance,
    family: Family,
) -> Comparisons:
    names, means = [model.names[i] for i in others], model.means[others]
    means = means - model.means[model.index[reference]]
    if not len(others) or not np.isfinite(variance.values).any():
        return Comparisons(reference, names, means, None)
    own = model.own_variance(weights)
    wider = None if own is None else (own.errors, own.df)
    differences = Differences(family, means, variance.errors, variance.df, wider)
    return Comparisons(reference, names, means, differences)
