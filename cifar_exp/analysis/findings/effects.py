"""What each factor does, and whether that depends on another."""

from collections.abc import Iterator

import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.verdict import compared, verdict_text
from cifar_exp.analysis.findings.words import capital, listed
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

MOST_FACTORS = 3


def effect_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The largest effect of each of the most important factors.

    Not of those whose levels swap places with another factor: see `Crossing`.
    """
    effects = statistics.effects
    named = [f for f in statistics.by_importance if f.key not in statistics.misleading]
    for factor in named[:MOST_FACTORS]:
        own = effects[effects["setting"] == factor.key]
        if len(own):
            row = own.loc[own["mean"].abs().idxmax()]
            text = (
                f"{capital(str(row['name']))} {row['level']} against {row['reference']}"
                f"{over_text(row)}: {verdict_text(statistics, row)}."
            )
            yield compared("effect", text, row)


def interaction_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The largest significant interaction."""
    table = statistics.interactions
    significant = table[table["is_significant"].astype(bool)]
    if not len(significant):
        return
    row = significant.loc[significant["mean"].abs().idxmax()]
    effect, other = str(row["other_name"]), str(row["name"])
    text = (
        f"The effect of {effect} {row['other_level']} against {row['other_reference']} depends on "
        f"{other}: at {other} {row['level']} it is {_shift(statistics, row)} than at "
        f"{row['reference']}{over_text(row)}."
    )
    yield compared("interaction", text, row)


def over_text(row: pd.Series) -> str:
    """What a contrast is averaged over: all of the other factors, some levels, or by a model."""
    over = str(row["averaged_over"])
    if not over:
        return ""
    if row["basis"] == "additive":
        return f" (in a model that is {over})"
    if row["basis"] == "some":
        return f", only at {_levels(over)}"
    return f", averaged over {listed([part.split(' ')[0] for part in over.split('; ')])}"


def _levels(over: str) -> str:
    """`dropout 0, 0.1; lr 0.1` as `dropout 0 and 0.1 and lr 0.1`."""
    return " and ".join(" and ".join(part.rsplit(", ", 1)) for part in over.split("; "))


def _shift(statistics: GroupStatistics, row: pd.Series) -> str:
    metric = statistics.metric
    size = f"{abs(row['mean']) * metric.scale:.{metric.digits}f} {metric.difference_unit}"
    interval = metric.interval_text(*sorted((abs(row["low"]), abs(row["high"]))))
    return f"{size} {interval} {'higher' if row['mean'] > 0 else 'lower'}"
