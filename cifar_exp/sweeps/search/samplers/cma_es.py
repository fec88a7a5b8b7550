"""CMA-ES (Hansen 2016, arXiv 1604.00772), from the package `cmaes` that Optuna uses too.

Optuna's CmaEsSampler keeps the distribution, pickled, in the study's storage. Here it is made again
from the results at each proposal, so that run folders are the only state of a search.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

from cifar_exp.errors import UserError
from cifar_exp.sweeps.search.samplers.base import Observation, random_state
from cifar_exp.sweeps.search.samplers.unit_cube import coordinates, point
from cifar_exp.sweeps.search.space import Space

SIGMA = 1 / 6  # of the range, as in Optuna
BELOW_ONE = np.nextafter(1.0, 0.0)


class CmaEsSampler:
    """A Gaussian over the ranges that moves to where results are good, and narrows.

    Results are told to it in populations in the order of the proposals. Those that it did not draw
    itself, e.g. runs of other sweeps, count like its own (Hansen 2011, "Injecting external
    solutions into CMA-ES").
    """

    def __init__(self, space: Space, seed: int) -> None:
        _check(space)
        self.space, self.seed = space, seed

    def candidates(
        self, history: Sequence[Observation], number: int
    ) -> Iterator[Mapping[str, Any]]:
        """Draws from the distribution that the results give."""
        optimizer = self._optimizer(history, number)
        for _ in count():
            yield point(self.space, np.clip(optimizer.ask(), 0.0, BELOW_ONE).tolist())

    def _optimizer(self, history: Sequence[Observation], number: int) -> Any:
        from cmaes import CMA

        dimensions = len(self.space.dimensions)
        optimizer = CMA(
            mean=np.full(dimensions, 0.5),
            sigma=SIGMA,
            bounds=np.tile([0.0, 1.0], (dimensions, 1)),
            seed=random_state(self.seed, number),
        )
        size = optimizer.population_size
        for start in range(0, len(history) - size + 1, size):
            population = sorted(history[start : start + size], key=lambda o: o.rank, reverse=True)
            optimizer.tell(
                [
                    (np.array(coordinates(self.space, o.values)), float(place))
                    for place, o in enumerate(population)
                ]
            )
        return optimizer


def _check(space: Space) -> None:
    other = "search=tpe can"
    for dimension in space.dimensions:
        if dimension.kind == "choice" or dimension.when is not None:
            raise UserError(
                f"search=cmaes: it cannot search {dimension.name}, only ranges that all runs have; "
                f"{other}"
            )
    if len(space.dimensions) < 2:
        raise UserError(f"search=cmaes: it cannot search a single dimension; {other}")
