"""What the figures of training show: curves, early stopping, compute."""

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.figures.content.words import seeds_label
from cifar_exp.analysis.statistics.curves import budget_correlation, by_configuration

PANELS = (
    ("train_accuracy", "training accuracy (%)", 100),
    ("val_accuracy", "validation accuracy (%)", 100),
    ("train_loss", "training loss (nats)", 1),
    ("val_loss", "validation loss (nats)", 1),
)


def history_alt(data: FigureData) -> str:
    """Where the curves of the best configuration begin and end."""
    statistics = data.statistics
    if not any(statistics.history[panel[0]].notna().any() for panel in PANELS):
        raise FigureSkipped("no completed run has metrics by epoch")
    own = statistics.counted[statistics.counted["configuration"] == statistics.best]
    history = statistics.history[statistics.history["run_id"].isin(own.index)]
    parts = []
    for column, label, scale in PANELS:
        rows = by_configuration(history, own, column)
        if len(rows):
            first, last = (rows["mean"].iloc[i] * scale for i in (0, -1))
            parts.append(f"{label.partition(' (')[0]} from {first:.3g} to {last:.3g}")
    epochs = int(history["epoch"].max())
    return f"The best configuration, {statistics.best}, over {epochs} epochs: {', '.join(parts)}."


def budget_alt(data: FigureData) -> str:
    """How well the first and the middle epoch predict the final ranking."""
    statistics = data.statistics
    table = budget_correlation(statistics.history, statistics.counted, statistics.metric)
    if len(table) < 2:
        raise FigureSkipped(
            "fewer than four configurations with equally many epochs, or no validation images"
        )
    rows = [table.iloc[0], table.iloc[(len(table) - 1) // 2]]
    parts = [f"{row['correlation']:.2f} at epoch {row['epoch']:.0f}" for row in rows]
    return (
        f"Rank correlation with the final ranking of {table['configurations'].iloc[0]:.0f} "
        f"configurations: {' and '.join(parts)} of {table['epoch'].iloc[-1]:.0f}."
    )


def compute_alt(data: FigureData) -> str:
    """The cheapest and the best configuration with what they cost."""
    statistics = data.statistics
    table, metric = statistics.evaluated, statistics.metric
    if len(table) < 2:
        raise FigureSkipped("there are no two configurations with completed runs")
    if table["pflop"].isna().all():
        raise FigureSkipped("no run has recorded its PFLOP")
    rows = [table.loc[table["pflop"].idxmin()], table.iloc[0]]
    parts = [
        f"{row['configuration']} reaches {metric.text(row['mean'])} with {row['pflop']:.3g} PFLOP"
        for row in rows
    ]
    return f"{parts[0]}, the cheapest; {parts[1]}, the best ({seeds_label(statistics)})."
