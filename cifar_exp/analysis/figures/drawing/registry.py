"""The function that draws each figure of the catalog."""

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.drawing.comparison import draw_comparison, draw_noise
from cifar_exp.analysis.figures.drawing.compute import draw_compute
from cifar_exp.analysis.figures.drawing.confusion import (
    draw_confusion,
    draw_pairs,
    draw_reliability,
)
from cifar_exp.analysis.figures.drawing.curves import draw_budget, draw_history
from cifar_exp.analysis.figures.drawing.effects import (
    draw_heatmap,
    draw_importance,
    draw_interaction,
)

DRAW: Mapping[str, Callable[[FigureData], Figure]] = {
    "comparison": draw_comparison,
    "interaction": draw_interaction,
    "heatmap": draw_heatmap,
    "importance": draw_importance,
    "history": draw_history,
    "budget": draw_budget,
    "compute": draw_compute,
    "noise": draw_noise,
    "confusion": draw_confusion,
    "pairs": draw_pairs,
    "reliability": draw_reliability,
}
