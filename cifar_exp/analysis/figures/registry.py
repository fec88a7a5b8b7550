"""All figures of a report, in the page's order. A new figure is one entry in `FIGURES`."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import seaborn as sns
from matplotlib import rc_context
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.comparison import draw_comparison, draw_noise
from cifar_exp.analysis.figures.compute import draw_compute
from cifar_exp.analysis.figures.confusion import draw_confusion, draw_pairs, draw_reliability
from cifar_exp.analysis.figures.curves import draw_budget, draw_curves, draw_gap, draw_rates
from cifar_exp.analysis.figures.effects import (
    draw_heatmap,
    draw_importance,
    draw_interaction,
    draw_parallel,
    draw_path,
)
from cifar_exp.analysis.figures.style import STYLE, FigureSkipped
from cifar_exp.analysis.load.runs import LoadedRun
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.atomic import write_whole
from cifar_exp.storage.predictions import Predictions, read_predictions


@dataclass(frozen=True)
class FigureData:
    """The input of every figure: a group's statistics and its best run."""

    statistics: GroupStatistics
    best: LoadedRun | None

    @cached_property
    def predictions(self) -> Predictions:
        """The best run's predictions, read once. Raises FigureSkipped if there are none."""
        if self.best is None:
            raise FigureSkipped("no run is completed")
        classes = len(self.best.record.dataset.class_names)
        found = read_predictions(self.best.folder, classes)
        if found is None:
            raise FigureSkipped("the best run has no readable predictions.npz")
        return found


@dataclass(frozen=True)
class FigureSpec:
    """A kind of figure: the name of its files, how it is drawn, and its title and caption.

    `draw` raises FigureSkipped, with the reason, if the data does not support the figure.
    """

    name: str
    draw: Callable[[FigureData], Figure]
    title: str
    caption: str


@dataclass(frozen=True)
class SavedFigure:
    """A figure of the report: its PNG, or the reason why there is none."""

    spec: FigureSpec
    png: Path | None
    reason: str | None = None


def group_figure(
    name: str, draw: Callable[[GroupStatistics], Figure], title: str, caption: str
) -> FigureSpec:
    """A figure that is drawn from a group's statistics."""
    return FigureSpec(name, lambda data: draw(data.statistics), title, caption)


def best_run_figure(
    name: str, draw: Callable[[LoadedRun, Predictions], Figure], title: str, caption: str
) -> FigureSpec:
    """A figure that is drawn from the best run's predictions on the test images."""

    def draw_best(data: FigureData) -> Figure:
        predictions = data.predictions
        assert data.best is not None
        return draw(data.best, predictions)

    return FigureSpec(name, draw_best, title, caption)


FIGURES: tuple[FigureSpec, ...] = (
    group_figure(
        "comparison",
        draw_comparison,
        "Configurations",
        "To see whether one is better, read the table of differences, which pairs the seeds.",
    ),
    group_figure(
        "heatmap",
        draw_heatmap,
        "Two factors",
        "The two most important factors; each cell gives its number of seeds.",
    ),
    group_figure(
        "interaction",
        draw_interaction,
        "Interaction",
        "Where lines are parallel, the effect of one factor does not depend on the other.",
    ),
    group_figure(
        "importance",
        draw_importance,
        "Importance",
        "Share of the variance between configurations explained by each factor and pair.",
    ),
    group_figure(
        "path",
        draw_path,
        "One change at a time",
        "Single changes that lead to the best configuration, the largest gain first.",
    ),
    group_figure(
        "history",
        draw_curves,
        "Learning curves",
        "Training values are running means over augmented images, with any label smoothing.",
    ),
    group_figure(
        "gap",
        draw_gap,
        "Generalization gap",
        "Training accuracy minus validation accuracy: how much was memorized.",
    ),
    group_figure(
        "budget",
        draw_budget,
        "Early rankings",
        "Correlation near 1 and cost near 0: this many epochs would give the same ranking.",
    ),
    group_figure(
        "compute",
        draw_compute,
        "Compute",
        "PFLOP do not depend on the machine; seconds depend on it and on its other load.",
    ),
    group_figure(
        "noise",
        draw_noise,
        "Noise between seeds",
        "How much results vary with the seed, and how many seeds a small difference needs.",
    ),
    group_figure(
        "parallel",
        draw_parallel,
        "All factors at once",
        "Each line is a configuration.",
    ),
    group_figure(
        "rates",
        draw_rates,
        "Learning rate",
        "The base rate; parameter groups may have their own multiple of it.",
    ),
    best_run_figure(
        "confusion",
        draw_confusion,
        "Confusion matrix",
        "The best run on the test images; rows sum to 100 %.",
    ),
    best_run_figure(
        "pairs",
        draw_pairs,
        "Confused classes",
        "The best run on the test images; both directions are counted together.",
    ),
    best_run_figure(
        "reliability",
        draw_reliability,
        "Calibration",
        "Bars above the line: the run is right more often than it is confident, as label smoothing "
        "makes it.",
    ),
)


def draw_all(
    statistics: GroupStatistics,
    best: LoadedRun | None,
    folder: Path,
    specs: Sequence[FigureSpec] = FIGURES,
) -> list[SavedFigure]:
    """Draw figures as PNG (at twice the size) and SVG; those that are skipped are deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    data = FigureData(statistics, best)
    style: dict[Any, Any] = {**sns.axes_style("whitegrid"), **STYLE}
    with rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # letters that no font here has
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        return [_save(spec, data, folder) for spec in specs]


def _save(spec: FigureSpec, data: FigureData, folder: Path) -> SavedFigure:
    paths = {kind: folder / f"{spec.name}.{kind}" for kind in ("png", "svg")}
    try:
        figure = spec.draw(data)
    except FigureSkipped as error:
        for path in paths.values():
            path.unlink(missing_ok=True)
        return SavedFigure(spec, None, str(error))
    for kind, path in paths.items():
        metadata = {"Date": None} if kind == "svg" else None  # the same figure is the same file
        write_whole(path, partial(figure.savefig, format=kind, metadata=metadata))
        figure.set_layout_engine("none")  # the first one lays it out; the second can skip that
    return SavedFigure(spec, paths["png"])
