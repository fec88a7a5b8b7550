"""All statistics of one comparison group, each computed when it is first used."""

from collections.abc import Sequence
from functools import cached_property

import pandas as pd

from cifar_exp.analysis.statistics.baseline import find_baseline
from cifar_exp.analysis.statistics.comparisons import compare
from cifar_exp.analysis.statistics.configurations import (
    ConfiguredRuns,
    assign_configurations,
    seed_noise,
    summarize,
)
from cifar_exp.analysis.statistics.effects import interactions, main_effects, reference_levels
from cifar_exp.analysis.statistics.factors import Factor, find_factors
from cifar_exp.analysis.statistics.groups import ComparisonGroup
from cifar_exp.analysis.statistics.importance import Importance, importance
from cifar_exp.analysis.statistics.metric import Metric, on_test
from cifar_exp.analysis.statistics.surrogate import (
    InsufficientDataError,
    Surrogate,
    fit_surrogate,
)


class GroupStatistics:
    """The tables of one comparison group; `raw_runs` are its runs as they were loaded.

    Without validation data, a val metric is replaced by the same metric on test.

    Raises UserError if `baseline` cannot be understood for this group.
    """

    def __init__(
        self,
        group: ComparisonGroup,
        metric: Metric,
        runs: pd.DataFrame,
        history: pd.DataFrame,
        columns: Sequence[str],
        baseline: str | None = None,
    ) -> None:
        own = self.raw_runs = runs.loc[list(group.run_ids)]
        has_val = bool(len(own) and own["val_size"].iloc[0] > 0)
        self.group, self.metric = group, metric
        if not has_val and not metric.is_on_test:
            self.metric = on_test(metric)
        self.has_val = has_val
        self.factors: list[Factor] = find_factors(own, columns)
        self.configured: ConfiguredRuns = assign_configurations(own, self.factors, self.metric)
        self.runs, self.counted = self.configured.runs, self.configured.counted
        self.history = history[history["run_id"].isin(self.counted.index)]
        self.summary = summarize(self.configured, self.factors, self.metric)
        self.baseline: str | None = None
        if baseline is not None and len(self.counted):
            self.baseline = find_baseline(baseline, self.counted, self.factors)

    @property
    def best(self) -> str | None:
        """The configuration with the best mean."""
        return None if not len(self.counted) else str(self.summary["configuration"].iloc[0])

    @property
    def best_run(self) -> str | None:
        """The id of the best run of the best configuration."""
        runs = self.counted[self.counted["configuration"] == self.best]
        return None if not len(runs) else str((runs["value"] * self.metric.sign).idxmax())

    @property
    def seeds(self) -> int:
        """The largest number of seeds that a configuration has."""
        return int(self.summary["n"].max()) if len(self.summary) else 0

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """Every configuration against the baseline, or else the best."""
        reference = self.baseline or self.best
        if reference is None:
            return pd.DataFrame()
        return compare(self.counted, reference)

    @cached_property
    def references(self) -> dict[str, str]:
        """The reference level of each factor."""
        return reference_levels(self.counted, self.factors, self.baseline)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """The main effects of the factors."""
        return main_effects(self.counted, self.factors, self.references)

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """The interactions of pairs of factors."""
        return interactions(self.counted, self.factors, self.references)

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
    def by_importance(self) -> list[Factor]:
        """The factors that vary among the counted runs, the one with the largest range first.

        Where the ranges are unknown, the one with the largest effect comes first.
        """
        if isinstance(self.importance, Importance):
            terms = self.importance.terms
            sizes = dict(zip(terms["term"], terms["range"], strict=True))
        else:
            table = self.effects.assign(size=self.effects.get("mean", pd.Series(dtype=float)).abs())
            sizes = table.groupby("name")["size"].max().to_dict()
        varied = [f for f in self.factors if self.counted[f.key].nunique() > 1]
        return sorted(varied, key=lambda f: -sizes.get(f.name, 0.0))

    @property
    def evaluated(self) -> pd.DataFrame:
        """The rows of the summary that have a counted run."""
        return self.summary[self.summary["n"] > 0]

    @cached_property
    def noise(self) -> tuple[float, int]:
        """SD between seeds, pooled over configurations, and its degrees of freedom."""
        return seed_noise(self.counted)
