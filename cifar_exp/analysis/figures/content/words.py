"""Words that the texts of several figures share."""

from collections.abc import Sequence

from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.text import counted


def seeds_label(statistics: GroupStatistics) -> str:
    """`3 seeds each`, or `1 to 3 seeds`."""
    sizes = statistics.evaluated["n"]
    low, high = int(sizes.min()), int(sizes.max())
    return f"{counted(low, 'seed')} each" if low == high else f"{low} to {high} seeds"


def rest_label(statistics: GroupStatistics, shown: Sequence[Factor]) -> str:
    """`, mean over lr and depth`: the factors that vary but are not `shown`; "" if none is left."""
    keys = {factor.key for factor in shown}
    rest = [factor.name for factor in statistics.by_importance if factor.key not in keys]
    return f", mean over {listed(rest)}" if rest else ""


def span(factor: Factor, levels: Sequence[str]) -> str:
    """`width 8 to 32`, or `optimizer sgd, adamw and muon`."""
    ordered = factor.is_numeric and len(levels) > 1
    return f"{factor.name} {f'{levels[0]} to {levels[-1]}' if ordered else listed(levels)}"
