"""Intervals of the configurations' means: simultaneous, so that the best's holds as well."""

import numpy as np

from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.model import CellModel
from cifar_exp.analysis.statistics.simultaneous import independent
from cifar_exp.analysis.statistics.verdicts import ALPHA


def mean_intervals(model: CellModel, metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous 95 % intervals of all means, (cells,) each; NaN where the scatter is unknown.

    From the pooled scatter; where the scatters are uneven, a configuration's own counts if it gives
    the wider interval. They hold together (Sidak, JASA 1967), and therefore for whichever
    configuration is picked. Intervals of fractions are within [0, 1].
    """
    family, variance = independent(len(model.names)), model.mean_variance()
    half = family.critical(variance.df, ALPHA) * variance.errors
    scatter = model.scatter
    if scatter.is_uneven:
        own = np.sqrt(scatter.variances / model.counts)
        half = np.fmax(half, family.critical(scatter.df, ALPHA) * own)
    if metric.is_fraction:
        return bounded(model.means, half)
    return model.means - half, model.means + half


def bounded(means: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of fractions; a bound that would leave [0, 1] is that on the logit scale instead.

    The standard error there is that of the mean over m (1 - m) (the delta method), which is far too
    large towards the middle: the other bound stays. For a mean of 0 or 1, where the logit does not
    exist, the interval is cut off.
    """
    low, high = means - half, means + half
    is_inside = (means > 0) & (means < 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        center, reach = np.log(means / (1 - means)), half / (means * (1 - means))
        low = np.where(is_inside & (low < 0), 1 / (1 + np.exp(reach - center)), low)
        high = np.where(is_inside & (high > 1), 1 / (1 + np.exp(-reach - center)), high)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)
