"""Sobol's sequence, scrambled: points that fill the space more evenly than random ones.

Optuna's QMCSampler wraps the same sequence of SciPy, but keeps its place in the study's storage,
which a search does not have, and draws dimensions of a group's options at random.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.samplers.unit_cube import point
from cifar_exp.sweeps.search.space import Space


class QuasirandomSampler:
    """Point `number` of the sequence that `seed` scrambles (Owen 1998), whatever the results."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space, self.seed = space, seed

    def candidates(
        self,
        history: Sequence[Observation],  # noqa: ARG002
        number: int,
    ) -> Iterator[Mapping[str, Any]]:
        """The points of the sequence from `number` on."""
        from scipy.stats import qmc

        engine = qmc.Sobol(len(self.space.dimensions), scramble=True, rng=self.seed)
        if number:
            engine.fast_forward(number)
        while True:
            with warnings.catch_warnings():  # that one point alone is not balanced
                warnings.simplefilter("ignore", UserWarning)
                shares = engine.random(1)[0]
            yield point(self.space, shares.tolist())
