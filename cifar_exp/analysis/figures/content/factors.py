"""What the figures of factors show: interaction, heatmap, importance."""

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.words import span
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.contrasts import present_levels
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance

MOST_COLORED, MOST_SHAPED = 6, 4  # lines that can be distinguished by their color, or their shape
MOST_TERMS = 12
SMALLEST_SHARE = 0.005  # of a pair of factors that is shown


def top_pair(statistics: GroupStatistics) -> tuple[Factor, Factor, pd.DataFrame]:
    """The two most important factors and the means of their levels: first, second, mean, ...

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
    return first, second, _with_intervals(statistics, table, (first, second))


def _with_intervals(
    statistics: GroupStatistics, table: pd.DataFrame, pair: tuple[Factor, Factor]
) -> pd.DataFrame:
    """Where nothing else varies, the means are configurations and have their intervals."""
    if len(statistics.by_importance) > len(pair):
        return table
    keys = [factor.key for factor in pair]
    found = statistics.evaluated.set_index(keys)[["ci_low", "ci_high"]]
    own = found.loc[list(zip(table["first"], table["second"], strict=True))]
    return table.assign(low=own["ci_low"].to_numpy(), high=own["ci_high"].to_numpy())


def interval_of(statistics: GroupStatistics) -> str:
    """What kind of intervals those of `top_pair` are."""
    kind = "simultaneous" if len(statistics.by_importance) == 2 else "individual"
    return f"{kind} 95 % intervals"


def interaction_lines(statistics: GroupStatistics) -> tuple[Factor, Factor, pd.DataFrame]:
    """The factor that has the lines, the factor that they run over, and their means.

    The most important factor has the lines, because it has the colors, unless it has too many
    levels. The table has `line` and `over` instead of `first` and `second`.
    """
    first, second, table = top_pair(statistics)
    if table["first"].nunique() <= MOST_COLORED:
        return first, second, table.rename(columns={"first": "line", "second": "over"})
    if table["second"].nunique() <= MOST_SHAPED:
        return second, first, table.rename(columns={"second": "line", "first": "over"})
    raise FigureSkipped(f"{first.name} and {second.name} have too many levels for lines")


def interaction_alt(data: FigureData) -> str:
    """How the lines run, from the lowest level to the highest."""
    lines, over, table = interaction_lines(data.statistics)
    metric = data.statistics.metric
    parts = []
    for level, own in table.groupby("line", sort=False):
        first, last = own.iloc[0], own.iloc[-1]
        change = metric.difference_text(last["mean"] - first["mean"])
        parts.append(f"{change} at {lines.name} {level}")
    ends = f"from {over.name} {table['over'].iloc[0]} to {table['over'].iloc[-1]}"
    return f"{metric.label.capitalize()} changes {ends} by {listed(parts)}."


def heatmap_alt(data: FigureData) -> str:
    """The best and the worst cell."""
    first, second, table = top_pair(data.statistics)
    metric, counted = data.statistics.metric, data.statistics.counted
    ordered = table.sort_values("mean", ascending=not metric.is_higher_better)
    cells = [
        f"{metric.text(row['mean'])} at {first.name} {row['first']}, {second.name} {row['second']}"
        for _, row in ordered.iloc[[0, -1]].iterrows()
    ]
    axes = [span(factor, present_levels(counted, factor)) for factor in (first, second)]
    return f"{metric.label.capitalize()} by {' and '.join(axes)}: from {cells[0]} to {cells[1]}."


def importance_terms(statistics: GroupStatistics) -> tuple[pd.DataFrame, str]:
    """Factors by their range, then pairs with a share of the variance by it; and the method.

    Raises FigureSkipped if they are unknown, or only one factor varies.
    """
    found = statistics.importance
    if not isinstance(found, Importance):
        raise FigureSkipped(found)
    if len(found.terms) == 1:
        raise FigureSkipped("only one setting varies, so it explains everything")
    terms = found.terms[(found.terms["order"] == 1) | (found.terms["share"] >= SMALLEST_SHARE)]
    terms = terms.sort_values(["order", "range", "share"], ascending=[True, False, False])
    held_out = f", held-out R2 {found.score:.2f}" if found.is_estimated else ""
    return terms.head(MOST_TERMS).reset_index(drop=True), f"{found.method}{held_out}"


def importance_alt(data: FigureData) -> str:
    """The range and the share of each factor."""
    metric, (terms, _) = data.statistics.metric, importance_terms(data.statistics)
    factors = terms[terms["order"] == 1]
    parts = [
        f"{row.term} {metric.difference_text(row.range)[1:]}, {100 * row.share:.0f} %"
        for row in factors.itertuples()
    ]
    return f"Range of {metric.label} and share of its variance: {'; '.join(parts)}."
