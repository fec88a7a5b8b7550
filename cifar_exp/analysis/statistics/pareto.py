"""Which configurations are worth their cost."""

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.metric import Metric


def pareto_front(summary: pd.DataFrame, cost: str, metric: Metric) -> pd.Series:
    """Whether each configuration is on the Pareto front: none is as good or better and no dearer.

    `cost` names a column; a configuration whose cost is unknown is not on the front.
    """
    gain = metric.sign * summary["mean"].to_numpy(dtype=float)
    price = summary[cost].to_numpy(dtype=float)
    order = np.lexsort((-gain, price))  # the cheapest first, and of equal costs the best
    best, is_on_front = -np.inf, np.zeros(len(summary), dtype=bool)
    for row in order:
        if gain[row] > best and not np.isnan(price[row]):
            best, is_on_front[row] = gain[row], True
    return pd.Series(is_on_front, index=summary.index)
