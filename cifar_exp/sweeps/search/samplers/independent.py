"""Random search (Bergstra & Bengio 2012): the baseline of all others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.samplers.unit_cube import point
from cifar_exp.sweeps.search.space import Space


class RandomSampler:
    """Each value is drawn on its own, evenly or evenly in its logarithm."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space, self.seed = space, seed

    def candidates(
        self,
        history: Sequence[Observation],  # noqa: ARG002
        number: int,
    ) -> Iterator[Mapping[str, Any]]:
        """Random configurations."""
        random = np.random.default_rng([self.seed, number])
        while True:
            yield point(self.space, random.random(len(self.space.dimensions)).tolist())
