"""What accuracy costs, in words, where a search was asked for both."""

from collections.abc import Iterator

import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.pareto import pareto_front

MOST_NAMED = 4


def tradeoff_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The Pareto front of the metric and compute, the cheapest configuration first."""
    sweep, table = statistics.group.sweep, statistics.evaluated
    if sweep is None or sweep.search is None or not sweep.search.has_cost or len(table) < 2:
        return
    front = table[pareto_front(table, "pflop", statistics.metric)].sort_values("pflop")
    if not len(front):
        return
    rows = [row for _, row in front.iterrows()]
    if len(rows) > MOST_NAMED:
        ends = f"from {_named(statistics, rows[0])} to {_named(statistics, rows[-1])}"
        text = f"{len(rows)} of {len(table)} configurations are on the Pareto front, {ends}"
    else:
        names = listed([_named(statistics, row) for row in rows])
        text = f"On the Pareto front of {len(table)} configurations: {names}"
    luck = "; with one seed each, which ones these are is partly luck"
    text = f"{text}: nothing cheaper is as good{luck if statistics.seeds == 1 else ''}."
    yield Finding("front", text, level=str(rows[-1]["configuration"]))


def _named(statistics: GroupStatistics, row: pd.Series) -> str:
    value = statistics.metric.text(float(row["mean"]))
    return f"{row['configuration']} ({value} for {row['pflop']:.3g} PFLOP)"
