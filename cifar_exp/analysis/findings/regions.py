"""Which values of a drawn setting are good, and each level at its own best value, in words."""

from collections.abc import Iterator

import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.verdict import compared, verdict_text
from cifar_exp.analysis.findings.words import capital, listed
from cifar_exp.analysis.statistics.crossings import Crossing
from cifar_exp.analysis.statistics.factors import shorten
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

MOST_CROSSINGS = 2
DIGITS = 2  # of the ends of a region


def region_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """`Lr from 0.03 to 0.13 does best`, for each setting of which many values were drawn.

    Silent where all values may be the best. Levels on which the best value depends follow in the
    same sentence.
    """
    table = statistics.regions
    for setting, own in table.groupby("setting", sort=False):
        parts = []
        for level, spans in own.groupby("other_level", sort=False):
            if not (spans["is_lowest"].any() and spans["is_highest"].any() and len(spans) == 1):
                with_level = f" with {spans['other_name'].iloc[0]}={level}" if level else ""
                parts.append(f"{_spans(spans)}{with_level}")
        if parts:
            name = own["name"].iloc[0]
            worth = statistics.worth
            by = "the noise of a run"
            if worth is not None:
                by = statistics.metric.difference_text(worth)[1:]
            worse = f"other values are significantly worse, by more than {by}"
            text = f"{capital(name)} {listed(parts)} does best; {worse}.{_beyond(own)}"
            yield Finding("region", text, setting=str(setting))


def own_best_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The levels of a factor, each at its own best level of another, where averages mislead."""
    for crossing in statistics.crossings[:MOST_CROSSINGS]:
        yield _own_best(statistics, crossing)


def _spans(spans: pd.DataFrame) -> str:
    texts = []
    for row in spans.to_dict("records"):
        low, high = (shorten(str(row[key]), DIGITS) for key in ("low", "high"))
        if row["is_lowest"]:
            texts.append(f"up to {high}")
        elif row["is_highest"]:
            texts.append(f"of {low} or more")
        else:
            texts.append(f"near {low}" if low == high else f"from {low} to {high}")
    return listed(texts, "or")


def _beyond(own: pd.DataFrame) -> str:
    """What cannot be known: the best may lie outside the values that were tried."""
    sides = [
        side
        for side, key in (("lower", "is_lowest"), ("higher", "is_highest"))
        if own[key].any() and not own[["is_lowest", "is_highest"]].all(axis=1).any()
    ]
    return f" {listed(sides, 'or').capitalize()} values were not tried." if sides else ""


def _own_best(statistics: GroupStatistics, crossing: Crossing) -> Finding:
    metric, table = statistics.metric, crossing.table
    name, other = crossing.factor.name, crossing.other.name
    parts = [
        f"{row['level']} {metric.text(row['mean'])} at {shorten(row['at'], DIGITS)}"
        for row in table.to_dict("records")
    ]
    estimated = " (averaged over the other settings by the model)" if crossing.is_estimated else ""
    row = _first_against_second(statistics, table)
    text = (
        f"Each {name} at its own best {other}: {listed(parts)}{estimated}; {row['level']} against "
        f"{row['reference']} {verdict_text(statistics, row)}."
    )
    return compared("own_best", text, row)


def _first_against_second(statistics: GroupStatistics, table: pd.DataFrame) -> pd.Series:
    first, second = table.iloc[0], table.iloc[1]
    low, high = -second["high"], -second["low"]
    worth = statistics.worth
    verdict = "undecided"
    if low * high > 0:
        verdict = "better"
    elif worth is not None and max(abs(low), abs(high)) <= worth:
        verdict = "equivalent"
    numbers = {"mean": first["mean"] - second["mean"], "low": low, "high": high}
    names = {"level": first["level"], "reference": second["level"]}
    return pd.Series({**names, **numbers, "verdict": verdict, "is_significant": low * high > 0})
