"""The function that draws each figure of the catalog."""

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.drawing.comparison import draw_comparison, draw_forest
from cifar_exp.analysis.figures.drawing.completion import draw_completion
from cifar_exp.analysis.figures.drawing.factors import (
    draw_heatmap,
    draw_importance,
    draw_interaction,
)
from cifar_exp.analysis.figures.drawing.noise import draw_noise
from cifar_exp.analysis.figures.drawing.predictions import (
    draw_confusion,
    draw_pairs,
    draw_reliability,
)
from cifar_exp.analysis.figures.drawing.progress import draw_progress
from cifar_exp.analysis.figures.drawing.slices import draw_slices
from cifar_exp.analysis.figures.drawing.training import draw_budget, draw_compute, draw_history

DRAW: Mapping[str, Callable[[FigureData], Figure]] = {
    "comparison": draw_comparison,
    "forest": draw_forest,
    "interaction": draw_interaction,
    "heatmap": draw_heatmap,
    "importance": draw_importance,
    "slices": draw_slices,
    "completion": draw_completion,
    "history": draw_history,
    "budget": draw_budget,
    "compute": draw_compute,
    "progress": draw_progress,
    "noise": draw_noise,
    "confusion": draw_confusion,
    "pairs": draw_pairs,
    "reliability": draw_reliability,
}
