"""When a search may stop: what is left to win is less than seeds differ by.

The best so far rises about as much from n to 2n configurations as from n/2 to n. So what the second
half of them has gained is what as many again would gain. Optuna's terminator compares a bound by a
Gaussian process with the noise (Makarova et al. 2022, "Automatic Termination for Hyperparameter
Optimization"); tried on five made-up surfaces, such a bound stayed above the noise long after the
search had found the best. This rule is off by default: in 12 of 30 made-up searches it missed more
than the noise of what 160 configurations would have found (benchmarks/results/search.txt).
"""

import math
from collections.abc import Sequence

from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.seeds import Entrant, noise_sd

FEWEST = 40  # configurations: before that, a half without a gain is likely by chance
FEWEST_PAIRS = 3  # seeds beyond the first, from which the noise is known


def noise_reached(observed: Sequence[Observation], entrants: Sequence[Entrant]) -> str | None:
    """Why no new configurations are worth their cost, in a sentence; None while they are.

    `observed`: what is known of the search's own configurations, in the order of proposals.
    """
    gained, noise = gained_by_second_half(observed), noise_sd(entrants)
    pairs = sum(max(0, len(entrant.accuracies) - 1) for entrant in entrants)
    if gained is None or noise is None or pairs < FEWEST_PAIRS or gained >= noise:
        return None
    return (
        f"no new runs: the second half of {len(observed)} configurations gained "
        f"{100 * gained:.2f} points, less than seeds differ by (SD {100 * noise:.2f})"
    )


def gained_by_second_half(observed: Sequence[Observation]) -> float | None:
    """How far the best of all is above the best of the first half; None while there are few."""
    half = len(observed) // 2
    best = _best(observed[:half])
    if len(observed) < FEWEST or best == -math.inf:
        return None
    return max(0.0, _best(observed) - best)


def _best(observed: Sequence[Observation]) -> float:
    whole = [each.accuracy for each in observed if each.paused_at is None]
    return max(whole, default=-math.inf)
