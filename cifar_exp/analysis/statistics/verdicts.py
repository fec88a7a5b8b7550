"""From differences with simultaneous intervals to verdicts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.simultaneous import Differences

ALPHA = 0.05  # of a family of intervals, and of significance
EQUIVALENCE = 2 * ALPHA  # two one-sided tests at ALPHA: the 90 % interval (Schuirmann, 1987)
COLUMNS = ("mean", "low", "high", "p", "verdict", "is_significant")


@dataclass(frozen=True)
class Judgment:
    """What verdicts depend on: the metric's direction, and the smallest difference that matters."""

    metric: Metric
    worth: float | None = None


def judge(
    differences: Differences | None, means: np.ndarray, judgment: Judgment, alpha: float
) -> pd.DataFrame:
    """A row per difference: mean, low, high, p, verdict, is_significant.

    `low` and `high` are simultaneous with confidence 1 - `alpha`, and exclude 0 exactly where the
    difference is significant; NaN without an estimate of the scatter. `p` is scaled to 5 % if
    `alpha` is smaller, so that it is below 5 % exactly where the difference is significant. The
    verdict is better or worse where it is significant, else equivalent where the difference is no
    larger than `worth` either way (two one-sided tests), else undecided.
    """
    nan = np.full(len(means), np.nan)
    half, narrow, p = nan, nan, nan
    if differences is not None and len(means):
        half = differences.half_widths(alpha)
        p = np.minimum(differences.p_values * (ALPHA / alpha), 1.0)
        if judgment.worth is not None:
            narrow = differences.half_widths(max(EQUIVALENCE, alpha))
    is_significant = np.abs(means) > half
    is_small = np.abs(means) + narrow <= (judgment.worth or 0.0)
    is_better = judgment.metric.sign * means > 0
    verdict = np.select(
        [is_significant & is_better, is_significant, is_small],
        ["better", "worse", "equivalent"],
        "undecided",
    )
    low, high = means - half, means + half
    if judgment.metric.is_fraction:
        low, high = np.clip(low, -1, 1), np.clip(high, -1, 1)
    return pd.DataFrame(
        dict(zip(COLUMNS, (means, low, high, p, verdict, is_significant), strict=True))
    )
