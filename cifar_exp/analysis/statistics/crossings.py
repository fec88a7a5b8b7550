"""Pairs of factors where the best level of one depends on the other's, so that averages mislead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.model import CellModel
from cifar_exp.analysis.statistics.simultaneous import all_pairs
from cifar_exp.analysis.statistics.surrogate import MOST_LEVELS, present_levels
from cifar_exp.analysis.statistics.verdicts import ALPHA

# by level of two factors: the row of the configuration by the levels of the further factors
TwoWay = dict[str, dict[str, dict[tuple[str, ...], int]]]


@dataclass(frozen=True)
class Crossing:
    """The levels of `factor`, each at its own best level of `other`.

    `table`: level, at (the level of `other`), mean, low and high of the difference from the best
    level, configuration (empty if estimated); the best level first. `is_estimated`: means are a
    surrogate's, averaged over further settings; else they are those of each level's best
    configuration. `is_mutual`: the best level of `factor` depends on `other` as well, or no level
    of `other` was tried with two of its levels.
    """

    factor: Factor
    other: Factor
    table: pd.DataFrame
    is_estimated: bool
    is_mutual: bool

    @property
    def misleading(self) -> set[str]:
        """Keys of the settings whose effect, averaged over the other, answers no question."""
        return {self.other.key, *([self.factor.key] if self.is_mutual else [])}


def crossings_of_cells(
    model: CellModel, cells: pd.DataFrame, factors: Sequence[Factor], metric: Metric
) -> Iterator[Crossing]:
    """The pairs that are crossed in the configurations' means.

    `cells`: a row per configuration in the model's order. A pair is crossed if two levels of the
    factor have different best levels of the other, and each is significantly worse at the other's
    (Tukey's test over all pairs of levels, at equal further settings). Where the other's lies
    outside of the values tried with it, the one that is nearest to it has to be worse.
    """
    for first, second in combinations(factors, 2):
        pair = _ordered(first, second)
        if max(cells[f.key].nunique() for f in pair) > MOST_LEVELS:
            continue
        table = _two_way(cells, factors, pair)
        if _is_crossed(model, table, pair[1], metric.sign):
            turned = _several(_turned(table))
            is_mutual = not turned or _is_crossed(model, turned, pair[0], metric.sign)
            own_best = _own_best(model, cells, pair, metric.sign)
            yield Crossing(*pair, own_best, is_estimated=False, is_mutual=is_mutual)


def _ordered(first: Factor, second: Factor) -> tuple[Factor, Factor]:
    """The factor whose levels are compared, and the one that is tuned: a number, if one is."""
    if first.is_numeric != second.is_numeric:
        return (second, first) if first.is_numeric else (first, second)
    return (first, second) if len(first.levels) <= len(second.levels) else (second, first)


def _two_way(cells: pd.DataFrame, factors: Sequence[Factor], pair: tuple[Factor, Factor]) -> TwoWay:
    """By level of both factors, the configuration at each combination of the further ones."""
    rest = [f.key for f in factors if f not in pair]
    table: TwoWay = {}
    columns = [cells[key] for key in (*(f.key for f in pair), *rest)]
    for row, (level, other, *further) in enumerate(zip(*columns, strict=True)):
        if ABSENT not in (level, other):
            table.setdefault(level, {}).setdefault(other, {})[tuple(further)] = row
    return _several(table)


def _several(table: TwoWay) -> TwoWay:
    return {level: own for level, own in table.items() if len(own) > 1}


def _turned(table: TwoWay) -> TwoWay:
    """The same with the factors exchanged."""
    turned: TwoWay = {}
    for level, own in table.items():
        for other, rows in own.items():
            turned.setdefault(other, {})[level] = rows
    return turned


def _is_crossed(model: CellModel, table: TwoWay, tuned: Factor, sign: int) -> bool:
    means = model.means
    best = {
        level: max(own, key=lambda other: sign * means[list(own[other].values())].mean())
        for level, own in table.items()
    }
    family = all_pairs(max(sum(len(own) for own in table.values()), 2))

    def is_worse(level: str, other: str) -> bool:
        own = table[level]
        if other not in own:
            nearest = _edge_towards(other, list(own)) if tuned.is_numeric else None
            return nearest is not None and nearest != best[level] and is_worse(level, nearest)
        contrast = _matched(own[best[level]], own[other], len(means))
        variance = model.variance(contrast[None])
        half = float((family.critical(variance.df, ALPHA) * variance.errors)[0])
        return sign * float(contrast @ means) > half  # False if there is no estimate

    return any(
        best[a] != best[b] and is_worse(a, best[b]) and is_worse(b, best[a])
        for a, b in combinations(table, 2)
    )


def _edge_towards(value: str, tried: Sequence[str]) -> str | None:
    """The tried value that is closest to one outside of all of them; None if it is inside."""
    low, high = min(tried, key=float), max(tried, key=float)
    if float(value) < float(low):
        return low
    return high if float(value) > float(high) else None


def _matched(
    first: Mapping[tuple[str, ...], int], second: Mapping[tuple[str, ...], int], size: int
) -> np.ndarray:
    """The first minus the second, over the combinations of further factors that both have."""
    shared = [further for further in first if further in second]
    contrast = np.zeros(size)
    for further in shared:
        contrast[first[further]] += 1 / len(shared)
        contrast[second[further]] -= 1 / len(shared)
    return contrast


def _own_best(
    model: CellModel, cells: pd.DataFrame, pair: tuple[Factor, Factor], sign: int
) -> pd.DataFrame:
    rows = []
    for level in present_levels(cells, pair[0]):
        own = np.flatnonzero(cells[pair[0].key].to_numpy() == level)
        best = own[(sign * model.means[own]).argmax()]
        at = str(cells[pair[1].key].iloc[best])
        mean = float(model.means[best])
        rows.append({"level": level, "at": at, "mean": mean, "configuration": model.names[best]})
    table = pd.DataFrame(rows).sort_values("mean", ascending=sign < 0, ignore_index=True)
    codes = [model.index[name] for name in table["configuration"]]
    contrasts = np.zeros((len(codes), len(model.names)))
    contrasts[np.arange(len(codes)), codes] += 1
    contrasts[:, codes[0]] -= 1
    variance = model.variance(contrasts, "none")
    # each level's configuration is picked as the best of many: the interval holds for all pairs
    critical = all_pairs(len(model.names)).critical(variance.df, ALPHA)
    return with_interval(table, critical * variance.errors)


def with_interval(table: pd.DataFrame, half: np.ndarray) -> pd.DataFrame:
    """The rows with the interval of their difference from the first, given half its width."""
    difference = table["mean"] - table["mean"].iloc[0]
    table = table.assign(low=difference - half, high=difference + half)
    return table[["level", "at", "mean", "low", "high", "configuration"]]
