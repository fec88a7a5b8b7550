"""Which difference a number of seeds detects, from the scatter alone, never from the effect."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from cifar_exp.analysis.statistics.simultaneous import Family, scale_quadrature
from cifar_exp.analysis.statistics.verdicts import ALPHA

POWER = 0.8
SEEDS = (2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)
MOST_SEEDS = 1000


def resolvable(sd: float, seeds: int, configurations: int, family: Family) -> float:
    """The true difference between two configurations that is significant with 80 % power.

    `sd` between seeds is taken as known and even; all configurations have this many seeds, and the
    difference is one of `family`. A significant difference of the wrong sign is not counted.
    """
    df = float((configurations - 1) * (seeds - 1)) or float(seeds - 1)
    critical = float(family.critical(np.array([df]), ALPHA)[0])
    scales, shares = scale_quadrature(df)
    low, high = 0.0, 4 * critical + 4
    for _ in range(50):
        middle = (low + high) / 2
        power = float(special.ndtr(middle - critical * scales) @ shares)
        low, high = (low, middle) if power >= POWER else (middle, high)
    return float(high * sd * (2 / seeds) ** 0.5)


def resolution(
    sd: float, configurations: int, family: Family, seeds: Sequence[int] = SEEDS
) -> pd.DataFrame:
    """A row per number of seeds: seeds, resolvable. Empty if the scatter is unknown."""
    if not sd > 0:
        return pd.DataFrame({"seeds": [], "resolvable": []})
    sizes = [resolvable(sd, n, configurations, family) for n in seeds]
    return pd.DataFrame({"seeds": list(seeds), "resolvable": sizes})


def seeds_for(size: float, sd: float, configurations: int, family: Family) -> float:
    """The fewest seeds that detect a difference of this size; infinite beyond 1,000."""
    low, high = 2, MOST_SEEDS
    if not sd > 0 or resolvable(sd, high, configurations, family) > size:
        return float("inf")
    while low < high:
        middle = (low + high) // 2
        is_enough = resolvable(sd, middle, configurations, family) <= size
        low, high = (low, middle) if is_enough else (middle + 1, high)
    return float(low)
