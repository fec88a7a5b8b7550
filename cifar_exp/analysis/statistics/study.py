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
from cifar_exp.analysis.statistics.importance import Importance, TooFewError, importance
from cifar_exp.analysis.statistics.metric import Metric, without_val
from cifar_exp.analysis.statistics.sections import Section
from cifar_exp.analysis.statistics.settings import Setting, varied_settings


class Study:
    """The tables of one section. Where nothing was held out, a val metric gives way to test.

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
        own = runs.loc[list(section.run_ids)]
        has_val = bool(len(own) and own["val_size"].iloc[0] > 0)
        self.section, self.metric = section, metric
        if not has_val and not metric.is_on_test:
            self.metric = without_val(metric)
        self.has_val = has_val
        self.settings: list[Setting] = varied_settings(own, columns)
        self.configured: Configured = configure(own, self.settings, self.metric)
        self.runs, self.counted = self.configured.runs, self.configured.counted
        self.history = history[history["run_id"].isin(self.counted.index)]
        self.summary = summarise(self.configured, self.settings, self.metric)
        asked = baseline is not None and len(self.counted) > 0
        self.baseline = (
            find_baseline(baseline or "", self.counted, self.settings) if asked else None
        )

    @property
    def best(self) -> str | None:
        """The configuration with the best mean."""
        return None if not len(self.counted) else str(self.summary["configuration"].iloc[0])

    @property
    def best_run(self) -> str | None:
        """The id of the best configuration's best run."""
        runs = self.counted[self.counted["configuration"] == self.best]
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
        return self._with_beats(compare(self.counted, reference))

    @cached_property
    def references(self) -> dict[str, str]:
        """The level of each setting that its others are held against."""
        return reference_levels(self.counted, self.settings, self.baseline)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What a change of one setting does."""
        return self._with_beats(main_effects(self.counted, self.settings, self.references))

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """How much one setting's effect changes with another."""
        return interactions(self.counted, self.settings, self.references)

    @cached_property
    def importance(self) -> Importance | str:
        """Shares of the settings, or why there are none."""
        try:
            return importance(self.counted, self.settings)
        except TooFewError as error:
            return str(error)

    @cached_property
    def by_weight(self) -> list[Setting]:
        """The settings, the one that explains most first; of a sole level last."""
        shares: dict[str, float] = {}
        if isinstance(self.importance, Importance):
            shares = dict(
                zip(self.importance.terms["term"], self.importance.terms["share"], strict=True)
            )
        levels = {s.key: self.counted[s.key].nunique() for s in self.settings}
        return sorted(self.settings, key=lambda s: (levels[s.key] < 2, -shares.get(s.name, 0.0)))

    @cached_property
    def noise(self) -> tuple[float, int]:
        """SD between seeds, pooled over configurations, and its degrees of freedom."""
        return seed_noise(self.counted)

    def _with_beats(self, differences: pd.DataFrame) -> pd.DataFrame:
        """With `beats`, the probability that the first of the two is the better one."""
        if not len(differences):
            return differences
        ahead = differences["probability"]
        return differences.assign(beats=ahead if self.metric.is_higher_better else 1 - ahead)
