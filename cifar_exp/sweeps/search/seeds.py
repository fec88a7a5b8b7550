"""Which configuration of a search gets a further seed: one that keeps up with the others.

Seeds are instances, as in Optuna's WilcoxonPruner: two configurations are compared on the seeds
that both have. Its test cannot reject anything with fewer than four. So the rule is that of ROAR
(Hutter et al. 2011, "Sequential model-based optimization for general algorithm configuration"), a
race against the best by the mean over common seeds, with an allowance for the noise.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entrant:
    """A configuration: the accuracies of its whole runs by seed, and its cost.

    `is_open`: it has a seed left, and none of those it got is still to be trained.
    """

    accuracies: Mapping[int, float]
    pflop: float
    is_open: bool

    @property
    def mean(self) -> float:
        """Over its seeds; it has at least one."""
        return sum(self.accuracies.values()) / len(self.accuracies)


def best_open(entrants: Sequence[Entrant], *, by_cost: bool = False) -> int | None:
    """The place of the best configuration that is to get a further seed; None if none is.

    With `by_cost`, each one has to keep up only with those that cost no more.
    """
    noise = noise_sd(entrants)
    able = [
        place
        for place, entrant in enumerate(entrants)
        if entrant.is_open
        and entrant.accuracies
        and all(
            _keeps_up(entrant, other, noise or 0.0)
            for other in entrants
            if not by_cost or other.pflop <= entrant.pflop
        )
    ]
    return max(able, key=lambda place: entrants[place].mean, default=None)


def noise_sd(entrants: Sequence[Entrant]) -> float | None:
    """SD between seeds of one configuration, pooled; None if none has two."""
    squares, freedom = 0.0, 0
    for entrant in entrants:
        deviations = [accuracy - entrant.mean for accuracy in entrant.accuracies.values()]
        squares += sum(deviation**2 for deviation in deviations)
        freedom += max(0, len(deviations) - 1)
    return math.sqrt(squares / freedom) if freedom else None


def _keeps_up(entrant: Entrant, other: Entrant, noise: float) -> bool:
    """Whether its mean over common seeds is at most one standard error behind."""
    common = entrant.accuracies.keys() & other.accuracies.keys()
    if not common:
        return True
    behind = sum(other.accuracies[seed] - entrant.accuracies[seed] for seed in common)
    return behind / len(common) <= noise * math.sqrt(2 / len(common))
