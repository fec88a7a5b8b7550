"""What the figure of completion shows."""

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.status_counts import status_by_level

MOST_ROWS = 24


def completion_table(data: FigureData) -> pd.DataFrame:
    """Runs by status for the levels of each factor. Raises FigureSkipped if all completed."""
    statistics = data.statistics
    if (statistics.runs["status"] == "completed").all():
        raise FigureSkipped("all runs completed")
    table = status_by_level(statistics.runs, statistics.factors)
    if not len(table):
        raise FigureSkipped("no setting varies")
    rows = table.groupby("name", sort=False).size().cumsum()  # whole factors
    return table[table["name"].isin(rows[(rows <= MOST_ROWS) | (rows == rows.iloc[0])].index)]


def completion_alt(data: FigureData) -> str:
    """How many runs completed, and the levels at which the fewest did."""
    statuses = data.statistics.runs["status"]
    table = completion_table(data)
    done = table.get("completed", pd.Series(0.0, index=table.index))
    worst = table.assign(share=done / table["runs"], done=done).nsmallest(1, "share")
    parts = [
        f"{row.done:.0f} of {row.runs} at {row.name} {row.level}"
        for row in worst.itertuples(index=False)
    ]
    total = f"{(statuses == 'completed').sum()} of {len(statuses)} runs completed"
    return f"{total}; fewest {listed(parts)}."
