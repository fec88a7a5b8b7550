"""Optuna's samplers, on a study in memory that is rebuilt from the results at each proposal.

A study on disk would be a second truth beside the run folders, and trials that run when a process
dies would run there for ever.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from optuna.samplers import BaseSampler, TPESampler

from cifar_exp.sweeps.search.optuna_study import make_study, suggested
from cifar_exp.sweeps.search.samplers.base import Observation, random_state
from cifar_exp.sweeps.search.space import Space

MakeSampler = Callable[[Space, int], BaseSampler]


class OptunaSampler:
    """A sampler of Optuna as one of a search: `make_sampler` gets the space and a seed.

    It maximizes accuracy, and minimizes PFLOP too if it is told so.
    """

    def __init__(
        self, space: Space, seed: int, make_sampler: MakeSampler, *, minimizes_pflop: bool = False
    ) -> None:
        self.space, self.seed = space, seed
        self.make_sampler, self.minimizes_pflop = make_sampler, minimizes_pflop

    def candidates(
        self, history: Sequence[Observation], number: int
    ) -> Iterator[Mapping[str, Any]]:
        """What the sampler suggests, seeded anew for each candidate."""
        study = make_study(self.space, history, minimizes_pflop=self.minimizes_pflop)
        for attempt in count():
            study.sampler = self.make_sampler(self.space, random_state(self.seed, number, attempt))
            yield suggested(self.space, study.ask())


def tpe(space: Space, seed: int) -> BaseSampler:
    """The tree-structured Parzen estimator (Watanabe 2023, arXiv 2304.11127), multivariate.

    Without Optuna's constant liar for trials that are running: benchmarks/results/search.txt has
    no gain from it.
    """
    is_conditional = any(dimension.when is not None for dimension in space.dimensions)
    with warnings.catch_warnings():  # `group`, jointly what exists together, is experimental
        warnings.simplefilter("ignore")
        return TPESampler(seed=seed, multivariate=True, group=is_conditional, constant_liar=False)
