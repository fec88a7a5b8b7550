"""Draws near what the user believes to be good, besides what a sampler proposes.

After PriorBand (Mallik et al. 2023, arXiv 2306.12370): part of the proposals are drawn near the
prior, less and less of them, so that a wrong belief costs little (as in piBO, Hvarfner et al. 2022,
arXiv 2204.11051). The first proposal is the prior itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cifar_exp.sweeps.search.samplers.base import Observation, Sampler
from cifar_exp.sweeps.search.samplers.unit_cube import from_unit, to_unit
from cifar_exp.sweeps.search.space import Dimension, Space

SD = 0.25  # of a range, around the prior: that of PriorBand
FADES = 10  # after so many proposals, half as many as at first are drawn near the prior


class NearPrior:
    """Half of the first proposals lie near the prior, a quarter of those around the tenth."""

    def __init__(self, sampler: Sampler, space: Space, seed: int) -> None:
        self.sampler, self.space, self.seed = sampler, space, seed

    def candidates(
        self, history: Sequence[Observation], number: int
    ) -> Iterator[Mapping[str, Any]]:
        """The sampler's candidates, with all values that have a prior moved near it or none."""
        random = np.random.default_rng([self.seed, number])
        is_moved = number == 0 or random.random() < 0.5 * FADES / (FADES + number)
        for attempt, values in enumerate(self.sampler.candidates(history, number)):
            sd = 0.0 if number == attempt == 0 else SD
            yield self._moved(values, random, sd) if is_moved else values

    def _moved(
        self, values: Mapping[str, Any], random: np.random.Generator, sd: float
    ) -> dict[str, Any]:
        moved: dict[str, Any] = {}
        for dimension in self.space.dimensions:
            if dimension.is_present(moved):
                if dimension.prior is not None:
                    moved[dimension.key] = _near(dimension, random, sd)
                elif dimension.is_present(values) and dimension.key in values:
                    moved[dimension.key] = values[dimension.key]
                else:  # of an option that the sampler did not choose
                    moved[dimension.key] = from_unit(dimension, random.random())
        return moved


def _near(dimension: Dimension, random: np.random.Generator, sd: float) -> Any:
    if not sd:
        return dimension.prior
    if dimension.kind == "choice":  # the believed one half the time, any of them otherwise
        believed = random.random() < 0.5
        return dimension.prior if believed else from_unit(dimension, random.random())
    center = to_unit(dimension, dimension.prior)
    while not 0 <= (share := random.normal(center, sd)) <= 1:
        pass
    return from_unit(dimension, share)
