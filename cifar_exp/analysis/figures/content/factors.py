"""What the figures of factors show: interaction, heatmap, importance."""

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.words import span
from cifar_exp.analysis.statistics.contrasts import present_levels
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance

MOST_LINES = 6


def top_pair(statistics: GroupStatistics) -> tuple[Factor, Factor, pd.DataFrame]:
    """The two most important factors and the means of their levels.

    Raises FigureSkipped if there are not two factors, or their means cannot be compared.
    """
    if len(statistics.by_importance) < 2:
        raise FigureSkipped("fewer than two settings vary among the completed runs")
    first, second = statistics.by_importance[:2]
    for factor in (first, second):
        if not present_levels(statistics.counted, factor):
            raise FigureSkipped(f"{factor.name} has too many values for rows or lines")
    table = statistics.marginal_means(first, second)
    if not len(table):
        raise FigureSkipped(
            f"no combination of the other settings was trained at every {first.name} and "
            f"{second.name}, so a difference could be due to them"
        )
    return first, second, table


def interaction_alt(data: FigureData) -> str:
    """How the lines run, from the lowest level to the highest."""
    first, second, table = top_pair(data.statistics)
    lines = present_levels(data.statistics.counted, second)
    if len(lines) > MOST_LINES:
        raise FigureSkipped(f"{second.name} has more than {MOST_LINES} levels, too many lines")
    metric = data.statistics.metric
    parts = []
    for level in lines:
        means = table[table["second"] == level].set_index("first")["mean"]
        parts.append(
            f"at {second.name} {level} from {metric.text(means.iloc[0])} at {means.index[0]} to "
            f"{metric.text(means.iloc[-1])} at {means.index[-1]}"
        )
    return f"{metric.label.capitalize()} by {first.name}: {'; '.join(parts)}."


def heatmap_alt(data: FigureData) -> str:
    """The best and the worst cell."""
    first, second, table = top_pair(data.statistics)
    metric, counted = data.statistics.metric, data.statistics.counted
    ordered = table.sort_values("mean", ascending=not metric.is_higher_better)
    cells = [
        f"{metric.text(row['mean'])} at {first.name} {row['first']}, {second.name} {row['second']}"
        for row in (ordered.iloc[0], ordered.iloc[-1])
    ]
    axes = [span(factor, present_levels(counted, factor)) for factor in (first, second)]
    return f"{metric.label.capitalize()} by {' and '.join(axes)}: from {cells[0]} to {cells[1]}."


def importance_alt(data: FigureData) -> str:
    """The terms and their shares."""
    found = data.statistics.importance
    if not isinstance(found, Importance):
        raise FigureSkipped(found)
    if len(found.terms) == 1:
        raise FigureSkipped("only one setting varies, so it explains everything")
    shares = [f"{row['term']} {100 * row['share']:.0f} %" for _, row in found.terms.iterrows()]
    return f"Share of the variance between configurations: {', '.join(shares)}."
