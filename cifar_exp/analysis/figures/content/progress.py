"""What the figure of a search's progress shows."""

import pandas as pd

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped
from cifar_exp.analysis.statistics.paused import PAUSED
from cifar_exp.analysis.statistics.progress import FEWEST, reached
from cifar_exp.text import counted


def progress_table(data: FigureData) -> pd.DataFrame:
    """The group's own series first. Raises FigureSkipped where the order of runs says nothing."""
    table, statistics = data.progress, data.statistics
    own = table[table["series"] == statistics.group.title]
    if own["value"].notna().sum() < FEWEST:
        raise FigureSkipped(f"fewer than {FEWEST} runs have a result, an end and their compute")
    sweep = statistics.group.sweep
    is_search = sweep is not None and sweep.sampler is not None
    if not is_search and not len(statistics.paused.runs) and table["series"].nunique() < 2:
        raise FigureSkipped("the runs are no search, so their order says nothing")
    return table


def progress_alt(data: FigureData) -> str:
    """Where each series ends, and what it cost to get there."""
    metric, table = data.statistics.metric, progress_table(data)
    parts = []
    for name, own in table.groupby("series", sort=False):
        known = own.dropna(subset="best")
        if not len(known):
            continue
        best = known["best"].iloc[-1]
        paused = int((own["status"] == PAUSED).sum())
        paused_text = f", {paused} of them paused" if paused else ""
        parts.append(
            f"{name} reaches {metric.text(best)} after {reached(own, best, metric.sign):.3g} of "
            f"{own['compute'].iloc[-1]:.3g} PFLOP ({counted(len(own), 'run')}{paused_text})"
        )
    return f"{'; '.join(parts)}."
