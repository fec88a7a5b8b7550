"""Everything that a report claims about differences, from the model of the runs alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cifar_exp.analysis.statistics.comparisons import (
    Comparisons,
    compare_with_baseline,
    compare_with_best,
)
from cifar_exp.analysis.statistics.contrasts import Contrast
from cifar_exp.analysis.statistics.effects import (
    ContrastFamily,
    effect_family,
    interaction_family,
)
from cifar_exp.analysis.statistics.families import Families
from cifar_exp.analysis.statistics.model import CellModel


@dataclass(frozen=True)
class Claims:
    """The families of a model with the best configuration `best` and the baseline, if any.

    `main` and `pairs` are the contrasts of main effects and of interactions.
    """

    model: CellModel
    main: Sequence[Contrast]
    pairs: Sequence[Contrast]
    best: str
    baseline: str | None = None

    @cached_property
    def effects(self) -> ContrastFamily | None:
        """Main effects; None if no levels can be compared."""
        return effect_family(self.model, self.main) if self.main else None

    @cached_property
    def interactions(self) -> ContrastFamily | None:
        """Interactions of pairs of factors; None if no levels can be compared."""
        return interaction_family(self.model, self.pairs) if self.pairs else None

    @cached_property
    def comparisons(self) -> Comparisons | None:
        """Configurations against the baseline, or else the best; None for a single one."""
        if len(self.model.names) < 2:
            return None
        if self.baseline is not None:
            return compare_with_baseline(self.model, self.baseline)
        return compare_with_best(self.model, self.best)

    @cached_property
    def families(self) -> Families:
        """The families with their levels."""
        differences = {
            "effects": self.effects.differences if self.effects else None,
            "interactions": self.interactions.differences if self.interactions else None,
            "comparisons": self.comparisons.differences if self.comparisons else None,
        }
        is_planned = self.baseline is not None or differences["effects"] is None
        names = ("comparisons", "effects") if is_planned else ("effects", "comparisons")
        return Families(differences, names[0], names[1] if self._are_effects_comparisons else "")

    @property
    def _are_effects_comparisons(self) -> bool:
        """Whether effects compare single configurations, and the same ones as the comparisons."""
        count = len(self.model.names)
        if len(self.main) != count - 1 or not all(c.is_of_two for c in self.main):
            return False
        reference = self.model.index[self.best if self.baseline is None else self.baseline]
        return count == 2 or (
            self.baseline is not None and all(c.weights[reference] != 0 for c in self.main)
        )
