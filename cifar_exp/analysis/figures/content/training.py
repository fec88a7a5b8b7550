"""What the figures of training show: curves, early stopping, compute."""

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.curves import budget_correlation, by_configuration
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

PANELS = (
    ("train_accuracy", "training accuracy (%)", 100),
    ("val_accuracy", "validation accuracy (%)", 100),
    ("train_loss", "training loss (nats)", 1),
    ("val_loss", "validation loss (nats)", 1),
)


def history_panels(statistics: GroupStatistics) -> list[tuple[str, str, int]]:
    """The series that the runs have: column, label, scale. Raises FigureSkipped without any."""
    panels = [panel for panel in PANELS if statistics.history[panel[0]].notna().any()]
    if not panels:
        raise FigureSkipped("no completed run has metrics by epoch")
    return panels


def history_alt(data: FigureData) -> str:
    """Where the curves of the best configuration begin and end."""
    statistics = data.statistics
    panels = history_panels(statistics)
    own = statistics.counted[statistics.counted["configuration"] == statistics.best]
    history = statistics.history[statistics.history["run_id"].isin(own.index)]
    parts = []
    for column, label, scale in panels:
        rows = by_configuration(history, own, column)
        if len(rows):
            first, last = (rows["mean"].iloc[i] * scale for i in (0, -1))
            name, _, unit = label.partition(" (")
            parts.append(f"{name} from {first:.3g} to {last:.3g} {unit[:-1]}")
    epochs = int(history["epoch"].max()) if len(history) else 0
    return f"The best configuration, {statistics.best}, in {epochs} epochs: {listed(parts)}."


def budget_table(statistics: GroupStatistics) -> pd.DataFrame:
    """The ranking by epoch, without the last one, where it is the final ranking.

    Raises FigureSkipped if there are too few configurations or epochs.
    """
    table = budget_correlation(statistics.history, statistics.counted, statistics.metric)
    if len(table) < 2:
        raise FigureSkipped(
            "fewer than four configurations with equally many epochs, or no validation images"
        )
    return table.iloc[:-1]


def budget_alt(data: FigureData) -> str:
    """How well the first and the middle epoch predict the final ranking."""
    table = budget_table(data.statistics)
    rows = table.iloc[sorted({0, len(table) // 2, len(table) - 1})]
    parts = [f"{row['correlation']:.2f} at epoch {row['epoch']:.0f}" for _, row in rows.iterrows()]
    return (
        f"Rank correlation with the final ranking of {rows['configurations'].iloc[0]:.0f} "
        f"configurations: {listed(parts)}."
    )


def compute_alt(data: FigureData) -> str:
    """The cheapest and the best configuration with what they cost."""
    statistics = data.statistics
    table, metric = statistics.evaluated, statistics.metric
    if len(table) < 2:
        raise FigureSkipped("there are no two configurations with completed runs")
    if table["pflop"].nunique() < 2:
        raise FigureSkipped("all configurations take the same compute")
    rows = [table.loc[table["pflop"].idxmin()], table.iloc[0]]
    parts = [
        f"{row['configuration']} reaches {metric.text(row['mean'])} with {row['pflop']:.3g} PFLOP"
        for row in rows
    ]
    return f"{parts[0]}, the cheapest; {parts[1]}, the best ({seeds_label(statistics)})."
