"""What the settings do beyond a table of effects: importance, regions, crossings, completion."""

from functools import cached_property

import pandas as pd

from cifar_exp.analysis.statistics.completion import collapsed_runs, completion_by_level
from cifar_exp.analysis.statistics.configurations import ConfiguredRuns
from cifar_exp.analysis.statistics.crossed_slices import crossings_of_surrogate
from cifar_exp.analysis.statistics.crossings import Crossing, crossings_of_cells
from cifar_exp.analysis.statistics.early import EarlyImportance, early_importance
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.groups import ComparisonGroup
from cifar_exp.analysis.statistics.importance import Importance, importance
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.model import CellModel
from cifar_exp.analysis.statistics.paused import Paused, paused_runs
from cifar_exp.analysis.statistics.progress import progress
from cifar_exp.analysis.statistics.regions import REGION_COLUMNS, TREND_COLUMNS, regions, trends
from cifar_exp.analysis.statistics.surrogate import (
    InsufficientDataError,
    Surrogate,
    fit_surrogate,
)


class Exploration:
    """The part of a group's statistics that needs no error estimate between seeds.

    The attributes declared here are those of `GroupStatistics`.
    """

    group: ComparisonGroup
    metric: Metric
    factors: list[Factor]
    configured: ConfiguredRuns
    runs: pd.DataFrame
    counted: pd.DataFrame
    model: CellModel | None
    worth: float | None
    history: pd.DataFrame
    paused_history: pd.DataFrame

    @property
    def varied(self) -> list[Factor]:
        """The factors that vary among the counted runs."""
        return [f for f in self.factors if self.counted[f.key].nunique() > 1]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """A row per configuration in the model's order, with its levels."""
        names = self.model.names if self.model else []
        return self.counted.drop_duplicates("configuration").set_index("configuration").loc[names]

    @cached_property
    def completion(self) -> pd.DataFrame:
        """How many runs of each level ended in which way."""
        current = self.runs.drop(index=list(self.configured.superseded))
        return completion_by_level(current, self.factors)

    @cached_property
    def paused(self) -> Paused:
        """The runs that a pruner paused."""
        return paused_runs(self.runs)

    @cached_property
    def progress(self) -> pd.DataFrame:
        """The best so far by the compute spent: columns PROGRESS_COLUMNS."""
        return progress(self.runs, self.metric, self.group.title)

    @cached_property
    def collapsed(self) -> pd.DataFrame:
        """The completed runs that ended far from the other seeds of their configuration."""
        return collapsed_runs(self.counted)

    @cached_property
    def surrogate(self) -> Surrogate | str:
        """The model of what the settings do where there is no full grid, or why there is none."""
        try:
            return fit_surrogate(self.counted, self.factors)
        except InsufficientDataError as error:
            return str(error)

    @cached_property
    def importance(self) -> Importance | str:
        """How far each factor moves the metric, or why that is unknown."""
        try:
            return importance(self.counted, self.factors, self.surrogate)
        except InsufficientDataError as error:
            return str(error)

    @cached_property
    def early_importance(self) -> EarlyImportance | None:
        """The importance at an epoch that paused configurations reached too, if there are any."""
        if not self.paused.configurations:
            return None
        runs = pd.concat([self.counted, self.paused.runs])
        history = pd.concat([self.history, self.paused_history])
        return early_importance(runs, history, self.factors)

    @cached_property
    def crossings(self) -> list[Crossing]:
        """The pairs of factors where the best level of one depends on the other's."""
        if self.model is None:
            return []
        found = list(crossings_of_cells(self.model, self.cells, self.varied, self.metric))
        if isinstance(self.surrogate, Surrogate):
            found += crossings_of_surrogate(self.surrogate, self.metric)
        return found

    @property
    def misleading(self) -> set[str]:
        """Keys of the settings whose effect, averaged over another one, answers no question."""
        return {key for crossing in self.crossings for key in crossing.misleading}

    @cached_property
    def trends(self) -> pd.DataFrame:
        """The surrogate over each numeric setting: columns TREND_COLUMNS."""
        if not isinstance(self.surrogate, Surrogate):
            return pd.DataFrame(columns=list(TREND_COLUMNS))
        return trends(self.surrogate, self._crossed)

    @cached_property
    def regions(self) -> pd.DataFrame:
        """Where the good values of each drawn setting lie: columns REGION_COLUMNS."""
        if not isinstance(self.surrogate, Surrogate):
            return pd.DataFrame(columns=list(REGION_COLUMNS))
        return regions(self.surrogate, self.metric, self._crossed, self.worth)

    @property
    def _crossed(self) -> dict[str, Factor]:
        """By key of a setting, the factor on which its best value depends."""
        return {c.other.key: c.factor for c in reversed(self.crossings)}
