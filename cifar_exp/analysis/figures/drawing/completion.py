"""How many runs completed, by the level of each factor."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.content.completion import completion_table
from cifar_exp.analysis.figures.drawing.style import ALARM, GRAY, PALETTE, Color, new_figure, title
from cifar_exp.analysis.statistics.paused import PAUSED

COLORS: dict[str, Color] = {
    "completed": (0.62, 0.74, 0.85),
    "diverged": ALARM,
    "failed": PALETTE[1],
    PAUSED: (1.0, 1.0, 1.0),
}
LABELS = {PAUSED: "paused by a pruner"}


def draw_completion(data: FigureData) -> Figure:
    """A bar for each level, divided by status."""
    table = completion_table(data)
    figure = new_figure(1.7 + 0.26 * len(table))
    axes = figure.subplots()
    y, left = np.arange(len(table)), np.zeros(len(table))
    for status, color in COLORS.items():
        if table[status].any():
            shares = (table[status] / table["runs"] * 100).to_numpy()
            look: dict[str, Any] = {"color": color, "height": 0.7}
            if status == PAUSED:
                look |= {"edgecolor": GRAY, "hatch": "////", "lw": 1.0}
            axes.barh(y, shares, left=left, label=LABELS.get(status, status), **look)
            left += shares
    for height, row in zip(y, table.itertuples(), strict=True):
        text = f"{row.completed} of {row.runs}"
        axes.annotate(text, (101, height), va="center", fontsize=8)
    names = [f"{row['name']} {row['level']}" for _, row in table.iterrows()]
    axes.set_yticks(y, names)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set(xlabel="share of runs (%)", xlim=(0, 112), xticks=range(0, 101, 20))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)
    note = "At the right: completed runs. The factor whose levels differ most comes first."
    title(figure, "Completion by the level of each factor", note)
    return figure
