"""All figures of a report, in the order of a reader's questions; nothing here draws.

A new figure is an entry in `CATALOG` and the function that draws it, in `drawing/registry.py`.
"""

from collections.abc import Collection
from pathlib import Path

from cifar_exp.analysis.figures.base import (
    FigureData,
    FigureSkipped,
    FigureSpec,
    GroupFigures,
    PlannedFigure,
)
from cifar_exp.analysis.figures.content.completion import completion_alt
from cifar_exp.analysis.figures.content.differences import comparison_alt, forest_alt
from cifar_exp.analysis.figures.content.factors import (
    heatmap_alt,
    importance_alt,
    interaction_alt,
)
from cifar_exp.analysis.figures.content.noise import noise_alt
from cifar_exp.analysis.figures.content.predictions import confusion_alt, pairs_alt, reliability_alt
from cifar_exp.analysis.figures.content.progress import progress_alt
from cifar_exp.analysis.figures.content.slices import slices_alt
from cifar_exp.analysis.figures.content.training import budget_alt, compute_alt, history_alt
from cifar_exp.analysis.figures.keys import figure_key

CATALOG: tuple[FigureSpec, ...] = (
    FigureSpec(
        "comparison",
        "Configurations",
        "Which configurations are good, and how much do their seeds scatter?",
        comparison_alt,
    ),
    FigureSpec(
        "forest",
        "Differences",
        "Which differences are significant, and how large are they?",
        forest_alt,
    ),
    FigureSpec(
        "interaction",
        "Interaction",
        "Does the effect of one factor depend on another?",
        interaction_alt,
    ),
    FigureSpec(
        "heatmap",
        "Two factors",
        "What does each combination of the two most important factors reach?",
        heatmap_alt,
    ),
    FigureSpec(
        "importance",
        "Importance",
        "Which factors matter, and by how much?",
        importance_alt,
    ),
    FigureSpec(
        "slices",
        "Slices",
        "Which values of each factor are good?",
        slices_alt,
    ),
    FigureSpec(
        "completion",
        "Completion",
        "Do all runs complete, or do some levels fail?",
        completion_alt,
    ),
    FigureSpec(
        "history",
        "Learning curves",
        "How do accuracy and loss change over the epochs?",
        history_alt,
        "curves",
    ),
    FigureSpec(
        "budget",
        "Early stopping",
        "Would stopping early have given the same ranking?",
        budget_alt,
        "curves",
    ),
    FigureSpec(
        "compute",
        "Compute",
        "What does a better result cost?",
        compute_alt,
    ),
    FigureSpec(
        "progress",
        "Progress",
        "How soon did the search find its best?",
        progress_alt,
        "progress",
    ),
    FigureSpec(
        "noise",
        "Noise between seeds",
        "How much do seeds scatter, and which differences can more seeds detect?",
        noise_alt,
    ),
    FigureSpec(
        "confusion",
        "Confusion matrix",
        "Which classes does the best configuration mistake for which?",
        confusion_alt,
        "predictions",
    ),
    FigureSpec(
        "pairs",
        "Confused classes",
        "Which two classes does the best configuration confuse most often?",
        pairs_alt,
        "predictions",
    ),
    FigureSpec(
        "reliability",
        "Calibration",
        "Is the best configuration right as often as it is confident?",
        reliability_alt,
        "predictions",
    ),
)
NAMES = tuple(spec.name for spec in CATALOG)


def plan_figures(data: FigureData, report: Path, names: Collection[str] = NAMES) -> GroupFigures:
    """What each of these figures will show in a report's folder, or why it is left out."""
    folder = report / "figures" / data.statistics.group.slug
    chosen = [spec for spec in CATALOG if spec.name in names]
    return GroupFigures(data, [_planned(spec, data, folder) for spec in chosen])


def _planned(spec: FigureSpec, data: FigureData, folder: Path) -> PlannedFigure:
    try:
        return PlannedFigure(spec, folder, spec.alt(data), None, figure_key(spec, data))
    except FigureSkipped as error:
        return PlannedFigure(spec, folder, None, str(error))
    except Exception as error:  # a figure that fails costs itself alone, never the report
        return PlannedFigure(spec, folder, None, f"an error ({type(error).__name__}: {error})")
