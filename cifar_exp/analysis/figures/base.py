"""What a figure is: its name, the question it answers, and what it is drawn from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.runs import LoadedRun
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.predictions import Predictions, read_predictions

KINDS = ("svg", "png")
Inputs = Literal["runs", "curves", "predictions", "progress"]


class FigureSkipped(Exception):
    """The data does not support a figure; the message says why."""


@dataclass
class FigureData:
    """The input of every figure: a group's statistics and the runs of its best configuration.

    `progress`: the group's and that of comparable sweeps, as `all_progress` gives it.
    """

    statistics: GroupStatistics
    best_runs: Sequence[LoadedRun]
    progress: pd.DataFrame

    @cached_property
    def predictions(self) -> Predictions:
        """The predictions of all seeds of the best configuration, one after the other.

        Raises FigureSkipped if there are none.
        """
        if not self.best_runs:
            raise FigureSkipped("no run is completed")
        classes = len(self.best_runs[0].record.dataset.class_names)
        found = [read_predictions(run.folder, classes) for run in self.best_runs]
        readable = [predictions for predictions in found if predictions is not None]
        if not readable:
            raise FigureSkipped("the best configuration has no readable predictions.npz")
        names = ("label", "prediction", "confidence")
        parts = [[getattr(each, name) for each in readable] for name in names]
        return Predictions(*(np.concatenate(part) for part in parts))


@dataclass(frozen=True)
class FigureSpec:
    """A kind of figure: the name of its files, its title, and the question that it answers.

    `alt` says in words what it shows; it raises FigureSkipped, with the reason, if the data
    does not support the figure. `inputs`: what it is drawn from, beside the group's settings: the
    values of the runs, these and the epochs, these and the predictions, or these and the progress.
    """

    name: str
    title: str
    question: str
    alt: Callable[[FigureData], str]
    inputs: Inputs = "runs"


@dataclass(frozen=True)
class PlannedFigure:
    """A figure of a group: what it shows, or the reason why there is none.

    `key` names what it is drawn from; a file that has this key need not be drawn again.
    """

    spec: FigureSpec
    folder: Path
    alt: str | None
    reason: str | None = None
    key: str | None = None

    def path(self, kind: str) -> Path:
        """Its file of this kind, `svg` or `png`."""
        return self.folder / f"{self.spec.name}.{kind}"


@dataclass(frozen=True)
class GroupFigures:
    """All figures of a comparison group, and what they are drawn from."""

    data: FigureData
    planned: Sequence[PlannedFigure]
