"""Made-up sweeps with a known truth, judged as a report judges them, without run folders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.claims import Claims
from cifar_exp.analysis.statistics.contrasts import (
    Contrast,
    effect_contrasts,
    interaction_contrasts,
    reference_levels,
)
from cifar_exp.analysis.statistics.effects import effect_table
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.intervals import mean_intervals
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.analysis.statistics.model import CellModel, Observations, observe
from cifar_exp.analysis.statistics.selection import candidates, honest_best
from cifar_exp.analysis.statistics.simultaneous import Differences
from cifar_exp.analysis.statistics.strata import Strata, estimate_strata
from cifar_exp.analysis.statistics.verdicts import Judgment

METRIC = METRICS["val_accuracy"]
FACTORS = (
    Factor("model.width", "width", ("8", "16", "32"), is_numeric=True),
    Factor("model.dropout", "dropout", ("0.0", "0.1", "0.2"), is_numeric=True),
)
BASELINE = "width=8 dropout=0.0"
CENTER = 0.5  # the accuracy that all truths are relative to
POINT = 0.01  # a percentage point
SD = 0.5  # between seeds, in points


@dataclass(frozen=True)
class Noise:
    """SDs in points: of each configuration (9,); shared by runs of a seed; and shared by those of
    its runs that have the same width or the same dropout.
    """

    cells: Sequence[float] = (SD,) * 9
    seed: float = 0.0
    width: float = 0.0
    dropout: float = 0.0

    def draw(self, random: np.random.Generator, seeds: int) -> np.ndarray:
        """Deviations of the runs in points, (9, seeds)."""
        grid = random.normal(size=(3, 3, seeds)) * np.reshape(self.cells, (3, 3, 1))
        grid += self.seed * random.normal(size=(1, 1, seeds))
        grid += self.width * random.normal(size=(3, 1, seeds))
        grid += self.dropout * random.normal(size=(1, 3, seeds))
        return np.asarray(grid.reshape(9, seeds))


@dataclass(frozen=True, eq=False)
class Sweep:
    """A 3 x 3 grid with the same seeds everywhere; `deviations` in points, (9, seeds)."""

    deviations: np.ndarray

    def model(self, truth: np.ndarray) -> CellModel:
        """The model of the runs if the configurations' true means differ so, in points (9,)."""
        return CellModel(self._observations(truth), self.strata)

    @cached_property
    def strata(self) -> Strata:
        """The strata, which do not depend on the true means."""
        return estimate_strata(self._observations(np.zeros(9)))

    def _observations(self, truth: np.ndarray) -> Observations:
        values = CENTER + POINT * (self.deviations + truth[:, None])
        return replace(Grid.of(self.deviations.shape[1]).observations, values=values.ravel())


@dataclass(frozen=True, eq=False)
class Grid:
    """What all sweeps with this number of seeds have in common."""

    observations: Observations
    main: Sequence[Contrast]
    pairs: Sequence[Contrast]

    @classmethod
    @cache
    def of(cls, seeds: int) -> "Grid":
        """The grid of this number of seeds."""
        levels = list(product(*(factor.levels for factor in FACTORS)))
        cells = pd.DataFrame(levels, columns=[factor.key for factor in FACTORS])
        cells["configuration"] = [f"width={width} dropout={dropout}" for width, dropout in levels]
        runs = cells.loc[cells.index.repeat(seeds)].assign(value=0.0)
        runs = runs.assign(seed=runs.groupby("configuration").cumcount())
        references = reference_levels(runs, FACTORS, None)
        return cls(
            observe(runs, FACTORS),
            effect_contrasts(cells, FACTORS, references),
            interaction_contrasts(cells, FACTORS, references),
        )


def claims_of(model: CellModel) -> dict[str, Claims]:
    """What a report claims, with comparisons with the `picked` best and with the `baseline`."""
    grid = Grid.of(int(model.counts[0]))
    best = model.names[int(model.means.argmax())]
    picked = Claims(model, grid.main, grid.pairs, best)
    planned = replace(picked, baseline=BASELINE)
    # what does not depend on the baseline is computed once
    vars(planned).update(effects=picked.effects, interactions=picked.interactions)
    return {"picked": picked, "baseline": planned}


def judged(model: CellModel, truth: np.ndarray) -> dict[str, float]:
    """Of each family: whether anything false is claimed, and the share of what is found.

    False is a difference where there is none, or of the wrong sign. Found is counted among the
    largest true differences of the family; NaN if there are none. `box`: anything false anywhere.
    Keys are as `picked effects false`.
    """
    found: dict[str, float] = {}
    for mode, claims in claims_of(model).items():
        own: dict[str, float] = {}
        for name, (differences, true) in _families(claims, truth).items():
            own |= _counted(name, differences, np.round(true, 9), claims.families.alpha(name))
        own["box false"] = max(own[f"{name} false"] for name in claims.families.differences)
        found |= {f"{mode} {key}": value for key, value in own.items()}
    return found


def _families(claims: Claims, truth: np.ndarray) -> dict[str, tuple[Differences, np.ndarray]]:
    """Each family's differences, and the true ones in points."""
    comparisons, index = claims.comparisons, claims.model.index
    assert comparisons is not None
    true = {
        "effects": np.array([c.weights for c in claims.main]) @ truth,
        "interactions": np.array([c.weights for c in claims.pairs]) @ truth,
        "comparisons": truth[[index[name] for name in comparisons.names]]
        - truth[index[comparisons.reference]],
    }
    found = {}
    for name, differences in claims.families.differences.items():
        assert differences is not None
        found[name] = differences, true[name]
    return found


def _counted(
    name: str, differences: Differences, true: np.ndarray, alpha: float
) -> dict[str, float]:
    """A claim by its p value, which is below `alpha` exactly where the interval excludes 0."""
    claimed = differences.p_values < alpha
    is_right = np.sign(differences.means) == np.sign(true)
    largest = np.abs(true) == np.abs(true).max()
    share = claimed[largest & is_right].sum() / largest.sum() if true.any() else float("nan")
    return {f"{name} false": float((claimed & ~is_right).any()), f"{name} found": float(share)}


def of_the_best(model: CellModel, truth: np.ndarray) -> dict[str, float]:
    """What is said about the best configuration; biases in points."""
    claims = claims_of(model)["picked"]
    with_best = claims.comparisons
    assert with_best is not None
    best = model.index[claims.best]
    low, high = mean_intervals(model, METRIC)
    names = candidates(model, with_best, METRIC)
    true = CENTER + POINT * truth
    return {
        "covered": float(low[best] <= true[best] <= high[best]),
        "is candidate": float(model.names[int(truth.argmax())] in names),
        "candidates": float(len(names)),
        "bias": float(model.means[best] - true[best]) / POINT,
        "honest bias": (honest_best(model, METRIC) - float(true[best])) / POINT,
    }


def verdict(model: CellModel, row: int, worth: float) -> str:
    """The verdict on an effect, if `worth` points matter."""
    claims = claims_of(model)["picked"]
    assert claims.effects is not None
    alpha = claims.families.alpha("effects")
    judgment = Judgment(METRIC, POINT * worth)
    return str(effect_table(claims.effects, FACTORS, judgment, alpha)["verdict"].iloc[row])
