"""The headline: what a colleague would quote."""

from collections.abc import Iterator

import pandas as pd

from cifar_exp.analysis.findings.confirmed import confirmed_headline
from cifar_exp.analysis.findings.words import amount, capital, listed
from cifar_exp.analysis.statistics.factors import Factor, shorten
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.strata import MOST_LEVELS

MOST_FACTORS = 3
DIGITS = 3  # of a number that was drawn


def headline(statistics: GroupStatistics) -> str:
    """The best configuration, what its settings are worth, and whether they interact.

    Only significant effects are named, by the range of their levels' means.
    """
    confirmed = confirmed_headline(statistics) if statistics.is_confirming else None
    if confirmed is not None:
        return confirmed
    row = statistics.summary.iloc[0]
    name = str(row["configuration"])
    mean = statistics.metric.text(float(row["mean"]))
    if len(statistics.evaluated) == 1:
        return f"{name[:1].upper()}{name[1:]}: {mean}."
    best = f"{_named(statistics)}: {mean}."
    return " ".join([best, *_effects(statistics), *_depends(statistics)])


def _named(statistics: GroupStatistics) -> str:
    """The best configuration in words: `Width 32, dropout 0.0`."""
    row = statistics.summary.iloc[0]
    varied = {factor.key for factor in statistics.varied}
    parts = [f"{f.name} {_level(f, row)}" for f in statistics.by_importance if f.key in varied]
    text = ", ".join(parts) or str(row["configuration"])
    return text if "." in text.partition(" ")[0] else text[:1].upper() + text[1:]


def _level(factor: Factor, row: pd.Series) -> str:
    """The level, with three digits if it is one of many numbers."""
    level = str(row[factor.key])
    return shorten(level, DIGITS) if len(factor.levels) > MOST_LEVELS else level


def _effects(statistics: GroupStatistics) -> Iterator[str]:
    named = [f for f in statistics.by_importance if f.key not in statistics.misleading]
    parts = []
    for factor in named[:MOST_FACTORS]:
        row = _largest(statistics, factor)
        if row is not None:
            parts.append(_worth(statistics, factor, row))
    if parts:
        text = listed(parts)
        yield f"{text[:1].upper()}{text[1:]}."
    elif named and len(statistics.effects) and statistics.effects["low"].notna().any():
        names = [factor.name for factor in named[:MOST_FACTORS]]
        yield f"No significant effect of {listed(names, 'or')}."


def _largest(statistics: GroupStatistics, factor: Factor) -> pd.Series | None:
    effects = statistics.effects
    own = effects[(effects["setting"] == factor.key) & effects["is_significant"].astype(bool)]
    return own.loc[own["mean"].abs().idxmax()] if len(own) else None


def _worth(statistics: GroupStatistics, factor: Factor, row: pd.Series) -> str:
    """`width is worth 20.1 points`, or what a higher level costs."""
    size = amount(statistics.metric, row["mean"])
    is_gain = row["verdict"] == "better"
    if not factor.is_numeric:
        better, worse = (row["level"], row["reference"])[:: 1 if is_gain else -1]
        return f"{factor.name} {better} beats {worse} by {size}"
    is_upward = float(row["level"]) > float(row["reference"]) if _has_numbers(row) else True
    return f"{factor.name} {'is worth' if is_gain == is_upward else 'costs'} {size}"


def _has_numbers(row: pd.Series) -> bool:
    try:
        float(row["level"]), float(row["reference"])
    except ValueError:
        return False
    return True


def _depends(statistics: GroupStatistics) -> Iterator[str]:
    """`Dropout costs less at width 32 than at width 8`, for the largest significant interaction.

    If the best level of a setting depends on another, that is said instead.
    """
    if statistics.crossings:
        crossing = statistics.crossings[0]
        yield f"The best {crossing.other.name} depends on {crossing.factor.name}."
        return
    table = statistics.interactions
    significant = table[table["is_significant"].astype(bool)]
    if not len(significant):
        return
    row = significant.loc[significant["mean"].abs().idxmax()]
    other, name = str(row["other_name"]), str(row["name"])
    own = statistics.effects
    own = own[(own["setting"] == row["other"]) & (own["level"] == row["other_level"])]
    if not len(own) or own.iloc[0]["verdict"] not in ("better", "worse"):
        yield f"The effect of {other} depends on {name}."
        return
    is_larger = row["mean"] * own.iloc[0]["mean"] > 0
    factor = next(f for f in statistics.varied if f.key == row["other"])
    is_numeric = factor.is_numeric and _has_numbers(pd.Series(
        {"level": row["other_level"], "reference": row["other_reference"]}))  # fmt: skip
    verb = {"better": "is worth", "worse": "costs"}[own.iloc[0]["verdict"]]
    subject = capital(other) if is_numeric else f"{capital(other)} {row['other_level']}"
    degree = "more" if is_larger else "less"
    yield f"{subject} {verb} {degree} at {name} {row['level']} than at {row['reference']}."
