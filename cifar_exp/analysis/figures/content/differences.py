"""What the figures of configurations and of their differences show."""

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.words import seeds_label

MOST_ROWS = 30  # configurations that fit on a printed page


def comparison_alt(data: FigureData) -> str:
    """The best and the last configuration, and how many there are."""
    statistics = data.statistics
    table, metric = statistics.evaluated, statistics.metric
    if not len(table):
        raise FigureSkipped("no run is completed")
    best, last = table.iloc[0], table.iloc[-1]
    one = f"{metric.label.capitalize()} of {best['configuration']}: {metric.text(best['mean'])}"
    if len(table) == 1:
        return f"{one}, {seeds_label(statistics)}."
    interval = metric.interval_text(best["ci_low"], best["ci_high"])
    return (f"{one}, 95 % interval {interval}, " if interval else f"{one}, ") + (
        f"the best of {len(table)} configurations, {seeds_label(statistics)}. The last is "
        f"{last['configuration']} with {metric.text(last['mean'])}."
    )
