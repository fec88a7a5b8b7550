"""All that is known of a section's runs, computed when first asked for."""

from collections.abc import Sequence
from functools import cached_property

import pandas as pd

from cifar_exp.analysis.statistics.baseline import find_baseline
from cifar_exp.analysis.statistics.comparisons import compare
from cifar_exp.analysis.statistics.configurations import (
    Configured,
    configure,
    seed_noise,
    summarise,
)
from cifar_exp.analysis.statistics.effects import interactions, main_effects, reference_levels
from cifar_exp.analysis.statistics.factors import Factor, varied_settings
from cifar_exp.analysis.statistics.groups import Section
from cifar_exp.analysis.statistics.importance import Importance, InsufficientDataError, importance
from cifar_exp.analysis.statistics.metric import Metric, without_val


class GroupStatistics:
    """The tables of one section; `exact` are its runs as they were loaded.

    Where nothing was held out, a val metric gives way to test.

    Raises UserError where `baseline` cannot be read for this section.
    """

    def __init__(
        self,
        section: Section,
        metric: Metric,
        runs: pd.DataFrame,
        history: pd.DataFrame,
        columns: Sequence[str],
        baseline: str | None = None,
    ) -> None:
        own = self.exact = runs.loc[list(section.run_ids)]
        has_val = bool(len(own) and own["val_size"].iloc[0] > 0)
        self.section, self.metric = section, metric
        if not has_val and not metric.is_on_test:
            self.metric = without_val(metric)
        self.has_val = has_val
        self.settings: list[Factor] = varied_settings(own, columns)
        self.configured: Configured = configure(own, self.settings, self.metric)
        self.runs, self.selected = self.configured.runs, self.configured.selected
        self.history = history[history["run_id"].isin(self.selected.index)]
        self.summary = summarise(self.configured, self.settings, self.metric)
        self.baseline: str | None = None
        if baseline is not None and len(self.selected):
            self.baseline = find_baseline(baseline, self.selected, self.settings)

    @property
    def best(self) -> str | None:
        """The configuration with the best mean."""
        return None if not len(self.selected) else str(self.summary["configuration"].iloc[0])

    @property
    def best_run(self) -> str | None:
        """The id of the best configuration's best run."""
        runs = self.selected[self.selected["configuration"] == self.best]
        return None if not len(runs) else str((runs["value"] * self.metric.sign).idxmax())

    @property
    def seeds(self) -> int:
        """The most seeds that a configuration has."""
        return int(self.summary["n"].max()) if len(self.summary) else 0

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """Every configuration against the baseline, or else the best."""
        reference = self.baseline or self.best
        if reference is None:
            return pd.DataFrame()
        return compare(self.selected, reference)

    @cached_property
    def references(self) -> dict[str, str]:
        """The level of each setting that its others are held against."""
        return reference_levels(self.selected, self.settings, self.baseline)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What a change of one setting does."""
        return main_effects(self.selected, self.settings, self.references)

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """How much one setting's effect changes with another."""
        return interactions(self.selected, self.settings, self.references)

    @cached_property
    def importance(self) -> Importance | str:
        """Shares of the settings, or why there are none."""
        try:
            return importance(self.selected, self.settings)
        except InsufficientDataError as error:
            return str(error)

    @cached_property
    def by_weight(self) -> list[Factor]:
        """The settings that vary among counted runs, the one that explains most first.

        Where shares cannot be had, by the largest effect of a change.
        """
        if isinstance(self.importance, Importance):
            terms = self.importance.terms
            weights = dict(zip(terms["term"], terms["share"], strict=True))
        else:
            sizes = self.effects.assign(size=self.effects.get("mean", pd.Series(dtype=float)).abs())
            weights = sizes.groupby("name")["size"].max().to_dict()
        varied = [s for s in self.settings if self.selected[s.key].nunique() > 1]
        return sorted(varied, key=lambda s: -weights.get(s.name, 0.0))

    @property
    def known(self) -> pd.DataFrame:
        """The summary's configurations that have a counted run."""
        return self.summary[self.summary["n"] > 0]

    @cached_property
    def noise(self) -> tuple[float, int]:
        """SD between seeds, pooled over configurations, and its degrees of freedom."""
        return seed_noise(self.selected)
