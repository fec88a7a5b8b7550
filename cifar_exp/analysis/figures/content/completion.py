"""What the figure of completion shows."""

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.statistics.completion import ENDED
from cifar_exp.analysis.statistics.factors import shorten

MOST_ROWS = 24
MOST_LEVELS = 6  # of a factor; more are put together with their neighbors
DIGITS = 3  # of the ends of such a range


def completion_table(data: FigureData) -> pd.DataFrame:
    """Runs that have ended, by the levels of each factor: name, level, runs, and the statuses.

    The factor whose levels differ most in their share of completed runs comes first. Raises
    FigureSkipped if all completed.
    """
    table = data.statistics.completion
    if not len(table):
        raise FigureSkipped("no setting varies")
    if (table["completed"] == table["runs"]).all():
        raise FigureSkipped("all runs completed")
    tables = [_merged(own) for _, own in table.groupby("setting", sort=False) if len(own) > 1]
    tables.sort(key=_spread, reverse=True)
    sizes = pd.Series([len(own) for own in tables]).cumsum()
    whole = [own for own, size in zip(tables, sizes, strict=True) if size <= MOST_ROWS]
    return pd.concat(whole or tables[:1], ignore_index=True)


def _merged(table: pd.DataFrame) -> pd.DataFrame:
    """A factor's levels, or ranges of neighboring levels with about equally many runs."""
    if len(table) <= MOST_LEVELS:
        return table
    ranges = (table["runs"].cumsum() - 1) * MOST_LEVELS // table["runs"].sum()
    ends = table.groupby(ranges)["level"].agg(["first", "last"])
    labels = [
        " to ".join(dict.fromkeys(shorten(level, DIGITS) for level in pair))
        for pair in ends.itertuples(index=False)
    ]
    counts = table.groupby(ranges)[["runs", *ENDED]].sum()
    return counts.assign(name=table["name"].iloc[0], level=labels)


def _spread(table: pd.DataFrame) -> float:
    shares = table["completed"] / table["runs"]
    return float(shares.max() - shares.min())


def completion_alt(data: FigureData) -> str:
    """How many runs completed, and the level at which the fewest did."""
    table = completion_table(data)
    worst = table.loc[(table["completed"] / table["runs"]).idxmin()]
    own = table[table["name"] == table["name"].iloc[0]]
    return (
        f"{own['completed'].sum()} of {own['runs'].sum()} runs completed; fewest at "
        f"{worst['name']} {worst['level']}, {worst['completed']} of {worst['runs']}."
    )
