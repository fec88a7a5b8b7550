"""All figures of a section, drawn and saved, or left out with the reason."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import seaborn as sns
from matplotlib import rc_context
from matplotlib.figure import Figure

from cifar_exp.analysis.figures.comparison import draw_comparison, draw_noise
from cifar_exp.analysis.figures.compute import draw_compute, draw_parallel
from cifar_exp.analysis.figures.curves import draw_budget, draw_gap, draw_history, draw_rates
from cifar_exp.analysis.figures.effects import (
    draw_heatmap,
    draw_importance,
    draw_interaction,
    draw_path,
)
from cifar_exp.analysis.figures.predictions import draw_confusion, draw_pairs, draw_reliability
from cifar_exp.analysis.figures.style import STYLE, FigureSkipped
from cifar_exp.analysis.load.predictions import Predictions, read_predictions
from cifar_exp.analysis.load.runs import LoadedRun
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.atomic import write_whole

DrawBest = Callable[[LoadedRun, Predictions], Figure]

GROUP_FIGURES: dict[str, Callable[[GroupStatistics], Figure]] = {
    "comparison": draw_comparison,
    "heatmap": draw_heatmap,
    "interaction": draw_interaction,
    "importance": draw_importance,
    "path": draw_path,
    "history": draw_history,
    "gap": draw_gap,
    "budget": draw_budget,
    "compute": draw_compute,
    "noise": draw_noise,
    "parallel": draw_parallel,
    "rates": draw_rates,
}
RUN_FIGURES: dict[str, DrawBest] = {
    "confusion": draw_confusion,
    "pairs": draw_pairs,
    "reliability": draw_reliability,
}


@dataclass(frozen=True)
class SavedFigure:
    """A figure of the report: its PNG, or why there is none."""

    name: str
    png: Path | None
    reason: str | None = None


def draw_all(study: GroupStatistics, best: LoadedRun | None, folder: Path) -> list[SavedFigure]:
    """Every figure as PNG (at twice the size) and SVG in `folder`; old ones there are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    of_best = _of_best(best)
    draw: dict[str, Callable[[], Figure]] = {
        **{name: partial(draw, study) for name, draw in GROUP_FIGURES.items()},
        **{name: partial(of_best, draw) for name, draw in RUN_FIGURES.items()},
    }
    style: dict[Any, Any] = {**sns.axes_style("whitegrid"), **STYLE}
    with rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # letters that no font here has
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        return [_drawn(name, draw_figure, folder) for name, draw_figure in draw.items()]


def _of_best(best: LoadedRun | None) -> Callable[[DrawBest], Figure]:
    """Draws what is drawn of the best run's predictions, which are read once."""
    predictions = None
    if best is not None:
        predictions = read_predictions(best.folder, len(best.record.dataset.class_names))

    def draw(draw_best: DrawBest) -> Figure:
        if best is None:
            raise FigureSkipped("no run is completed")
        if predictions is None:
            raise FigureSkipped("the best run has no predictions.npz that can be read")
        return draw_best(best, predictions)

    return draw


def _drawn(name: str, draw: Callable[[], Figure], folder: Path) -> SavedFigure:
    paths = {kind: folder / f"{name}.{kind}" for kind in ("png", "svg")}
    try:
        figure = draw()
    except FigureSkipped as error:
        for path in paths.values():
            path.unlink(missing_ok=True)
        return SavedFigure(name, None, str(error))
    for kind, path in paths.items():
        metadata = {"Date": None} if kind == "svg" else None  # the same figure is the same file
        write_whole(path, partial(figure.savefig, format=kind, metadata=metadata))
        figure.set_layout_engine("none")  # laid out by the first: the second need not
    return SavedFigure(name, paths["png"])
