"""Crossed pairs of a factor of few levels with a number of which many values were drawn."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.crossings import Crossing, with_interval
from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.regions import is_drawn
from cifar_exp.analysis.statistics.surrogate import MOST_LEVELS, Surrogate

POINTS = 40  # values of the drawn setting at which levels are compared
SIGMAS = 1.96  # normal quantile: of 95 % of a surrogate's posterior
APART = 3.3  # the same for being worse, as 40 values are compared: 0.05 / 40 on either side
OVERLAP = 0.5  # of the values tried with a level; with less, it was tried on values of its own
FEWEST = 3  # values tried with a level, to say which is its best


class _Slices:
    """The surrogate at each level of `factor` (A,) over values of `other` (B,), better is higher.

    `mean` (A, B); `is_tried` (A, B): within the range of values that were tried with the level.
    """

    def __init__(self, surrogate: Surrogate, factor: Factor, other: Factor, sign: int) -> None:
        axes = surrogate.axis(factor), surrogate.axis(other)
        levels, values = surrogate.process.codes[:, axes].T
        numbers = [i for i, v in enumerate(surrogate.levels[axes[1]]) if v != ABSENT]
        picked = np.linspace(0, len(numbers) - 1, min(len(numbers), POINTS)).round().astype(int)
        self.values = np.array(numbers)[picked]
        tried = {level: np.intersect1d(values[levels == level], numbers) for level in set(levels)}
        self.levels = np.array(sorted(a for a, own in tried.items() if len(own) >= FEWEST))
        self.is_tried = np.array(
            [(self.values >= tried[a][0]) & (self.values <= tried[a][-1]) for a in self.levels]
        ).reshape(len(self.levels), len(self.values))
        grid = {axes[0]: np.repeat(self.levels, len(self.values))}
        grid[axes[1]] = np.tile(self.values, len(self.levels))
        mean, self.covariance = surrogate.process.conditional(grid)
        self.mean = sign * mean.reshape(self.is_tried.shape)
        self.best = np.where(self.is_tried, self.mean, -np.inf).argmax(axis=1)

    def is_above(self, first: tuple[int, int], second: tuple[int, int]) -> bool:
        """Whether one point is significantly better than another."""
        return bool(self.mean[first] - self.mean[second] > APART * self.sd(first, second))

    def sd(self, first: tuple[int, int], second: tuple[int, int]) -> float:
        """SD of the difference between two points."""
        i, j = (a * len(self.values) + b for a, b in (first, second))
        variance = self.covariance[i, i] + self.covariance[j, j] - 2 * self.covariance[i, j]
        return float(np.sqrt(max(variance, 0.0)))

    def leaves_its_best(self, a: int, at: int) -> bool:
        """Whether a level is worse at a value than at its own best."""
        return self.is_above((a, int(self.best[a])), (a, at))

    def are_apart(self, a: int, b: int) -> bool:
        """Whether two levels were tried on ranges of values that hardly overlap."""
        both = (self.is_tried[a] & self.is_tried[b]).sum()
        return bool(both < OVERLAP * min(self.is_tried[a].sum(), self.is_tried[b].sum()))

    def is_beaten(self, a: int, other: int) -> bool:
        """Whether at the other level's best value a level is worse, or tried elsewhere."""
        at = int(self.best[other])
        return self.are_apart(a, other) or self.is_above((other, at), (a, at))


def crossings_of_surrogate(surrogate: Surrogate, metric: Metric) -> Iterator[Crossing]:
    """The pairs that are crossed in a surrogate.

    As for configurations, by the surrogate's posterior: both levels must be worse at the other's
    best value, unless each was tried on a range of its own. A level's best is within that range.
    """
    for factor in surrogate.factors:
        if len(surrogate.levels[surrogate.axis(factor)]) > MOST_LEVELS:
            continue
        for other in surrogate.factors:
            if is_drawn(surrogate, other):
                slices = _Slices(surrogate, factor, other, metric.sign)
                pairs = list(combinations(range(len(slices.levels)), 2))
                if any(_is_crossed(slices, a, b) for a, b in pairs):
                    yield _crossing(surrogate, slices, factor, other, metric.sign)


def _is_crossed(slices: _Slices, a: int, b: int) -> bool:
    best = slices.best
    if best[a] == best[b]:
        return False
    return slices.are_apart(a, b) or (
        slices.leaves_its_best(a, int(best[b])) and slices.leaves_its_best(b, int(best[a]))
    )


def _crossing(
    surrogate: Surrogate, slices: _Slices, factor: Factor, other: Factor, sign: int
) -> Crossing:
    count = len(slices.levels)
    tops = [(a, int(slices.best[a])) for a in range(count)]
    ordered = sorted(tops, key=lambda top: -slices.mean[top])
    names = [surrogate.levels[surrogate.axis(f)] for f in (factor, other)]
    table = pd.DataFrame(
        {
            "level": [names[0][slices.levels[a]] for a, _ in ordered],
            "at": [names[1][slices.values[b]] for _, b in ordered],
            "mean": [sign * slices.mean[top] for top in ordered],
            "configuration": "",
        }
    )
    half = np.array([SIGMAS * slices.sd(top, ordered[0]) for top in ordered])
    is_mutual = any(
        slices.is_beaten(a, b) and slices.is_beaten(b, a) for a, b in combinations(range(count), 2)
    )
    return Crossing(factor, other, with_interval(table, half), True, is_mutual)
