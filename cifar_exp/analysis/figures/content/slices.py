"""What the figure of slices shows."""

from contextlib import suppress

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.factors import interaction_lines
from cifar_exp.analysis.findings.regions import region_findings
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.slices import slice_means

MOST_SLICES = 6
FEWEST_SLICED = 12  # configurations


def sliced_factors(statistics: GroupStatistics) -> list[Factor]:
    """The most important factors of which a slice says something.

    Raises FigureSkipped for a small grid, which the other figures show whole.
    """
    factors = [f for f in statistics.by_importance if not (f.is_numeric and ABSENT in f.levels)]
    if len(statistics.evaluated) < FEWEST_SLICED or not factors:
        raise FigureSkipped(f"fewer than {FEWEST_SLICED} configurations, which other figures show")
    if len(statistics.by_importance) <= 2 and _is_small_grid(statistics):
        raise FigureSkipped("the interaction shows all factors")
    return factors[:MOST_SLICES]


def _is_small_grid(statistics: GroupStatistics) -> bool:
    with suppress(FigureSkipped):
        return bool(interaction_lines(statistics))
    return False


def slices_alt(data: FigureData) -> str:
    """Where each factor is good; for a grid, where its mean is best."""
    statistics = data.statistics
    metric, factors = statistics.metric, sliced_factors(statistics)
    good = [finding.text for finding in region_findings(statistics)]
    parts = []
    for factor in factors:
        table = slice_means(statistics.counted, factor)
        best = table.loc[(metric.sign * table["mean"]).idxmax()]
        parts.append(f"{factor.name} {best['label']} ({metric.text(best['mean'])})")
    label = metric.label.capitalize()
    return " ".join([f"{label} of the runs is best on average at {listed(parts)}.", *good])
