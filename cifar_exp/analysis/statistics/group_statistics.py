"""All statistics of one comparison group, each computed when it is first used."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.baseline import find_baseline
from cifar_exp.analysis.statistics.claims import Claims
from cifar_exp.analysis.statistics.comparisons import (
    COMPARISON_COLUMNS,
    compare_with_best,
    comparison_table,
)
from cifar_exp.analysis.statistics.configurations import (
    ConfiguredRuns,
    assign_configurations,
    summarize,
)
from cifar_exp.analysis.statistics.confirmation import (
    Confirmation,
    confirmation_of,
    selected_names,
)
from cifar_exp.analysis.statistics.contrasts import (
    effect_contrasts,
    interaction_contrasts,
    reference_levels,
)
from cifar_exp.analysis.statistics.effects import (
    EFFECT_COLUMNS,
    INTERACTION_COLUMNS,
    effect_table,
    interaction_table,
)
from cifar_exp.analysis.statistics.exploration import Exploration
from cifar_exp.analysis.statistics.factors import Factor, find_factors
from cifar_exp.analysis.statistics.groups import ComparisonGroup
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.marginals import marginal_means
from cifar_exp.analysis.statistics.metric import Metric, on_test
from cifar_exp.analysis.statistics.model import CellModel, fit_cells
from cifar_exp.analysis.statistics.price import COLUMNS as PRICE_COLUMNS
from cifar_exp.analysis.statistics.price import prices
from cifar_exp.analysis.statistics.resolution import resolution, resolvable, seeds_for
from cifar_exp.analysis.statistics.selection import candidates, honest_best
from cifar_exp.analysis.statistics.simultaneous import Family, against_one, all_pairs
from cifar_exp.analysis.statistics.verdicts import ALPHA, Judgment


class GroupStatistics(Exploration):
    """The tables of one comparison group; `raw_runs` are its runs as they were loaded.

    Without validation data, a val metric is replaced by the same metric on test. `worth` is the
    smallest difference that matters, in the unit in which the metric is shown (percentage points
    for accuracies); the attribute has it as stored.

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
        worth: float | None = None,
    ) -> None:
        own = self.raw_runs = runs.loc[list(group.run_ids)]
        has_val = bool(len(own) and own["val_size"].iloc[0] > 0)
        self.group, self.metric = group, metric
        if not has_val and not metric.is_on_test:
            self.metric = on_test(metric)
        self.has_val = has_val
        self.factors: list[Factor] = find_factors(own, columns)
        self.configured: ConfiguredRuns = assign_configurations(
            own, self.factors, self.metric, selected_names(group)
        )
        self.runs, self.counted = self.configured.runs, self.configured.counted
        self.history = history[history["run_id"].isin(self.counted.index)]
        self.paused_history = history[history["run_id"].isin(self.paused.runs.index)]
        self.model: CellModel | None = None
        if len(self.counted):
            self.model = fit_cells(self.counted, self.varied)
        self.summary = summarize(self.configured, self.factors, self.metric, self.model)
        self.worth = None if worth is None else worth / self.metric.scale
        self.baseline: str | None = None
        if baseline is not None and len(self.counted):
            self.baseline = find_baseline(baseline, self.counted, self.factors)

    @cached_property
    def confirmation(self) -> Confirmation | None:
        """What fresh seeds say of its best, if it was confirmed or confirms another sweep."""
        return confirmation_of(self.group, self.metric)

    @property
    def is_confirming(self) -> bool:
        """Whether its configurations were selected in another sweep, so that they are no design."""
        return self.confirmation is not None and self.confirmation.is_confirming

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
    def references(self) -> dict[str, str]:
        """The reference level of each factor."""
        return reference_levels(self.counted, self.factors, self.baseline)

    @property
    def judgment(self) -> Judgment:
        """What turns differences into verdicts."""
        return Judgment(self.metric, self.worth)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """The main effects of the factors: columns EFFECT_COLUMNS."""
        if self.claims is None or self.claims.effects is None:
            return pd.DataFrame(columns=list(EFFECT_COLUMNS))
        alpha = self.claims.families.alpha("effects")
        return effect_table(self.claims.effects, self.factors, self.judgment, alpha)

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """The interactions of pairs of factors: columns INTERACTION_COLUMNS."""
        if self.claims is None or self.claims.interactions is None:
            return pd.DataFrame(columns=list(INTERACTION_COLUMNS))
        alpha = self.claims.families.alpha("interactions")
        return interaction_table(self.claims.interactions, self.factors, self.judgment, alpha)

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """Every configuration against the baseline, or else the best: COMPARISON_COLUMNS."""
        if self.claims is None or self.claims.comparisons is None:
            return pd.DataFrame(columns=list(COMPARISON_COLUMNS))
        alpha = self.claims.families.alpha("comparisons")
        return comparison_table(self.claims.comparisons, self.judgment, alpha)

    @cached_property
    def claims(self) -> Claims | None:
        """The families of differences; None without a counted run."""
        if self.model is None or self.best is None:
            return None
        cells = self.cells.reset_index()
        return Claims(
            self.model,
            effect_contrasts(cells, self.varied, self.references),
            interaction_contrasts(cells, self.varied, self.references),
            self.best,
            self.baseline,
        )

    @cached_property
    def prices(self) -> pd.DataFrame:
        """What significant effects are worth in compute."""
        if self.model is None:
            return pd.DataFrame(columns=list(PRICE_COLUMNS))
        cells = self.cells.assign(pflop=self.counted.groupby("configuration")["pflop"].mean())
        clear = self.effects[~self.effects["setting"].isin(self.misleading)]
        return prices(self.model, cells, self.varied, clear, self.metric.sign)

    @cached_property
    def candidates(self) -> list[str]:
        """The configurations that may be the best, the best first."""
        if self.model is None or self.best is None:
            return []
        with_best = compare_with_best(self.model, self.best)
        return candidates(self.model, with_best, self.metric)

    @cached_property
    def honest_best(self) -> float:
        """The mean of the best, chosen without the seed that it is scored on; NaN if unknown."""
        return float("nan") if self.model is None else honest_best(self.model, self.metric)

    @cached_property
    def resolution(self) -> pd.DataFrame:
        """Seeds, and the difference between two configurations that they would detect."""
        return resolution(self.noise[0], self._compared, self._pairs)

    def resolvable(self, seeds: int) -> float:
        """The difference between two configurations that this many seeds detect."""
        return resolvable(self.noise[0], seeds, self._compared, self._pairs)

    def seeds_for(self, size: float) -> float:
        """The fewest seeds that would detect a difference of this size; infinite beyond 1,000."""
        return seeds_for(size, self.noise[0], self._compared, self._pairs)

    def half_width(self, first: str, second: str) -> float:
        """Half the width of the interval of a difference, simultaneous over all pairs."""
        if self.model is None:
            return float("nan")
        weights = np.zeros((1, len(self.model.names)))
        weights[0, self.model.index[first]], weights[0, self.model.index[second]] = 1.0, -1.0
        variance = self.model.variance(weights, "none")
        family = all_pairs(len(self.model.names))
        return float((family.critical(variance.df, ALPHA) * variance.errors)[0])

    @property
    def pair_critical(self) -> float:
        """What a difference over its standard error must exceed, whichever pair is picked."""
        df = self.noise[1]
        return float(self._pairs.critical(np.array([df]), ALPHA)[0]) if df else float("nan")

    def marginal_means(self, first: Factor, second: Factor) -> pd.DataFrame:
        """Means at each pair of levels of two factors, averaged over the others."""
        if self.model is None:
            return pd.DataFrame()
        return marginal_means(self.model, self.cells, self.varied, (first, second))

    @property
    def _pairs(self) -> Family:
        """The family of comparisons between configurations."""
        if self.baseline is not None:
            return against_one(np.full(self._compared - 1, 0.5), is_two_sided=True)
        return all_pairs(self._compared)

    @property
    def _compared(self) -> int:
        """The number of configurations; for a single one, as if there were a second."""
        return max(len(self.evaluated), 2)

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
        return sorted(self.varied, key=lambda f: -sizes.get(f.name, 0.0))

    @property
    def evaluated(self) -> pd.DataFrame:
        """The rows of the summary that have a counted run."""
        return self.summary[self.summary["n"] > 0]

    @cached_property
    def noise(self) -> tuple[float, int]:
        """SD between seeds, pooled over configurations, and its degrees of freedom."""
        if self.model is None:
            return float("nan"), 0
        return self.model.scatter.pooled**0.5, self.model.scatter.total_df
