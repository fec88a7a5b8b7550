"""What the figures of configurations and of their differences show."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

MOST_ROWS = 30  # configurations that fit on a printed page


@dataclass(frozen=True)
class DifferencePanel:
    """Differences that are shown together: a name for each row of `table`."""

    title: str
    names: Sequence[str]
    table: pd.DataFrame


def rows_label(statistics: GroupStatistics) -> str:
    """`9 configurations`, or `the best 30 of 300 configurations`."""
    total = len(statistics.evaluated)
    if total > MOST_ROWS:
        return f"the best {MOST_ROWS} of {total} configurations"
    return f"{total} configuration{'s' if total > 1 else ''}"


def comparison_alt(data: FigureData) -> str:
    """The best and the last configuration, and how many there are."""
    statistics = data.statistics
    table, metric = statistics.evaluated, statistics.metric
    if not len(table):
        raise FigureSkipped("no run has completed")
    best, last = table.iloc[0], table.iloc[-1]
    text = f"{metric.label.capitalize()} of {best['configuration']}: {metric.text(best['mean'])}"
    interval = metric.interval_text(best["ci_low"], best["ci_high"])
    text += f", 95 % interval {interval}" if interval else ""
    if len(table) == 1:
        return f"{text}, {seeds_label(statistics)}."
    return (
        f"{text}, the best of {len(table)} configurations, {seeds_label(statistics)}. "
        f"The last is {last['configuration']} with {metric.text(last['mean'])}."
    )


def difference_panels(statistics: GroupStatistics) -> list[DifferencePanel]:
    """The effects of factors, and the configurations against their reference.

    Raises FigureSkipped if no difference has an interval.
    """
    panels = []
    effects, comparisons = (
        table.dropna(subset=["low", "high"]).reset_index(drop=True)
        for table in (statistics.effects, statistics.comparisons.head(MOST_ROWS))
    )
    if len(effects):
        names = [
            f"{row.name} {row.level} against {row.reference}"
            for row in effects.itertuples(index=False)
        ]
        over = ", averaged over the others" if effects["averaged_over"].any() else ""
        panels.append(DifferencePanel(f"Effect of a factor{over}", names, effects))
    if len(comparisons):
        total = len(statistics.comparisons)
        which = f"The best {MOST_ROWS} of {total}" if total > MOST_ROWS else "Configurations"
        text = f"{which} against {comparisons['reference'].iloc[0]}"
        panels.append(DifferencePanel(text, list(comparisons["configuration"]), comparisons))
    if not panels:
        raise FigureSkipped(
            "no difference has an interval: no seeds were repeated, or their results are equal"
        )
    return panels


def forest_alt(data: FigureData) -> str:
    """The number of each verdict, and the largest difference of each panel."""
    metric = data.statistics.metric
    parts = []
    for panel in difference_panels(data.statistics):
        counts = Counter(panel.table["verdict"])
        verdicts = listed([f"{counts[verdict]} {verdict}" for verdict in counts])
        largest = panel.table["mean"].abs().idxmax()
        row = panel.table.loc[largest]
        size = (
            f"{metric.difference_text(row['mean'])} {metric.interval_text(row['low'], row['high'])}"
        )
        parts.append(f"{panel.title}: {verdicts}; the largest is {panel.names[largest]}, {size}.")
    return " ".join(parts)
