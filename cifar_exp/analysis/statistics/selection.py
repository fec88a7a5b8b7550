"""Which configurations may be the best, and what the best reaches when not chosen by its luck."""

import numpy as np

from cifar_exp.analysis.statistics.comparisons import Comparisons
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.model import CellModel
from cifar_exp.analysis.statistics.simultaneous import against_one
from cifar_exp.analysis.statistics.verdicts import ALPHA


def candidates(model: CellModel, with_best: Comparisons, metric: Metric) -> list[str]:
    """The configurations that may be the best, the best one first.

    Hsu's multiple comparisons with the best (Annals of Statistics 1981), at 95 %: that a
    configuration is missing says that it is not the best. That it is listed says nothing about the
    others, which may be just as good.
    """
    found = with_best.differences
    order = np.argsort(-metric.sign * with_best.means, kind="stable")
    if found is None:
        return [with_best.reference, *(with_best.names[i] for i in order)]
    others = [model.index[name] for name in with_best.names]
    shares = 1 / (1 + model.counts[model.index[with_best.reference]] / model.counts[others])
    family = against_one(shares, is_two_sided=False)
    reach = family.critical(found.df, ALPHA) * found.errors
    if found.wider is not None:
        errors, df = found.wider
        reach = np.fmax(reach, family.critical(df, ALPHA) * errors)
    behind = -metric.sign * with_best.means
    return [with_best.reference, *(with_best.names[i] for i in order if not behind[i] > reach[i])]


def honest_best(model: CellModel, metric: Metric) -> float:
    """The mean of the best configuration on seeds that had no part in choosing it.

    For each seed, the configuration that is the best on the other seeds is scored on this one; the
    scores are averaged. Only the best configuration's seeds count, and the configurations that have
    all of them. NaN if there are fewer than two of either.
    """
    seen = model.observations
    table = np.full((len(model.names), int(seen.seeds.max()) + 1), np.nan)
    table[seen.cells, seen.seeds] = metric.sign * seen.values
    best = int(np.argmax(metric.sign * model.means))
    table = table[:, ~np.isnan(table[best])]
    whole = table[~np.isnan(table).any(axis=1)]
    if whole.shape[0] < 2 or whole.shape[1] < 2:
        return float("nan")
    chosen = (whole.sum(axis=1, keepdims=True) - whole).argmax(axis=0)
    return float(metric.sign * whole[chosen, np.arange(whole.shape[1])].mean())
