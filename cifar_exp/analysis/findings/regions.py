"""Which values of a drawn setting are good, and each level at its own best value, in words."""

from collections.abc import Iterator

import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.verdict import compared, verdict_text
from cifar_exp.analysis.findings.words import capital, listed
from cifar_exp.analysis.statistics.completion import ENDED
from cifar_exp.analysis.statistics.crossings import Crossing
from cifar_exp.analysis.statistics.factors import ABSENT, shorten
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.paused import is_beyond
from cifar_exp.analysis.statistics.surrogate import present_levels

MOST_CROSSINGS = 2
DIGITS = 2  # of the ends of a region


def region_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """`Lr from 0.03 to 0.13 does best`, for each setting of which many values were drawn.

    Silent where all values may be the best. Levels on which the best value depends follow in the
    same sentence.
    """
    table = statistics.regions
    for setting, own in table.groupby("setting", sort=False):
        parts, ends = [], _ends_lost(statistics, str(setting))
        for level, spans in own.groupby("other_level", sort=False):
            if not (spans["is_lowest"].any() and spans["is_highest"].any() and len(spans) == 1):
                with_level = f" with {spans['other_name'].iloc[0]}={level}" if level else ""
                parts.append(f"{_spans(spans, ends)}{with_level}")
        if parts:
            name = own["name"].iloc[0]
            worth = statistics.worth
            by = "the noise of a run"
            if worth is not None:
                by = statistics.metric.difference_text(worth)[1:]
            worse = f"other values are significantly worse, by more than {by}"
            text = f"{capital(name)} {listed(parts)} does best; {worse}.{_beyond(own, ends)}"
            yield Finding("region", text, setting=str(setting))


def own_best_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The levels of a factor, each at its own best level of another, where averages mislead."""
    for crossing in statistics.crossings[:MOST_CROSSINGS]:
        yield _own_best(statistics, crossing)


def _ends_lost(statistics: GroupStatistics, setting: str) -> dict[str, bool]:
    """Whether values beyond the lowest and the highest that count were tried without a result.

    Their runs were paused, failed or diverged.
    """
    factor = next(factor for factor in statistics.factors if factor.key == setting)
    known = [level for level in present_levels(statistics.counted, factor) if level != ABSENT]
    lost = statistics.runs[statistics.runs["status"].isin(ENDED)]
    return {
        "is_lowest": is_beyond(lost, factor, known[0], is_upper=False),
        "is_highest": is_beyond(lost, factor, known[-1], is_upper=True),
    }


def _spans(spans: pd.DataFrame, ends_lost: dict[str, bool]) -> str:
    texts = []
    for row in spans.to_dict("records"):
        low, high = (shorten(str(row[key]), DIGITS) for key in ("low", "high"))
        if row["is_lowest"] and not ends_lost["is_lowest"]:
            texts.append(f"up to {high}")
        elif row["is_highest"] and not ends_lost["is_highest"]:
            texts.append(f"of {low} or more")
        else:
            texts.append(f"near {low}" if low == high else f"from {low} to {high}")
    return listed(texts, "or")


def _beyond(own: pd.DataFrame, ends_lost: dict[str, bool]) -> str:
    """What cannot be known: the best may lie outside the values that have a result."""
    if own[["is_lowest", "is_highest"]].all(axis=1).any():
        return ""
    texts = []
    for is_lost, what in ((False, "were not tried"), (True, "were tried, but no run completed")):
        sides = [
            side
            for side, key in (("lower", "is_lowest"), ("higher", "is_highest"))
            if own[key].any() and ends_lost[key] == is_lost
        ]
        if sides:
            texts.append(f" {listed(sides, 'or').capitalize()} values {what}.")
    return "".join(texts)


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
