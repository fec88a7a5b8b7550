"""Means at each pair of levels of two factors, averaged over the others."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.contrasts import present_levels, rows_by_level
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.model import CellModel
from cifar_exp.analysis.statistics.simultaneous import single
from cifar_exp.analysis.statistics.verdicts import ALPHA

COLUMNS = ("first", "second", "mean", "low", "high", "n")


def marginal_means(
    model: CellModel, cells: pd.DataFrame, factors: Sequence[Factor], pair: tuple[Factor, Factor]
) -> pd.DataFrame:
    """A row per pair of levels: mean, its 95 % interval (pooled scatter, each by itself), n runs.

    Combinations of the other factors that were not trained at all pairs of levels are left out, so
    that every mean averages over the same ones; the table is empty if none is left.
    """
    pairs = list(product(*(present_levels(cells, factor) for factor in pair)))
    rows = rows_by_level(cells, factors, pair)
    whole = [row for row in rows if all(levels in row for levels in pairs)]
    used = whole if len(factors) > 2 else rows
    variance = model.mean_variance()
    half = single().critical(variance.df, ALPHA)
    found = []
    for levels in pairs:
        own = [row[levels] for row in used if levels in row]
        if own:
            mean = float(model.means[own].mean())
            reach = float(half[own[0]] * np.sqrt(variance.values[own].mean() / len(own)))
            n = int(model.counts[own].sum())
            found.append((*levels, mean, mean - reach, mean + reach, n))
    return pd.DataFrame(found, columns=list(COLUMNS))
