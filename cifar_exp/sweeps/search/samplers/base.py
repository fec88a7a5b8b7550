"""The interface of a sampler, and what it learns from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Observation:
    """What is known of a configuration: means over those of its seeds that have ended.

    `values` by key. `accuracy` is the metric that ranks runs, in [0, 1]. `paused_at`: the epoch
    that `accuracy` is of, if no seed was trained to its end.
    """

    values: Mapping[str, Any]
    accuracy: float
    pflop: float
    paused_at: int | None = None

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts from worse to better: a whole run before a paused one, then the longer one."""
        return (np.inf if self.paused_at is None else self.paused_at, self.accuracy)


class Sampler(Protocol):
    """Proposes values of a space's dimensions."""

    def candidates(
        self, history: Sequence[Observation], number: int
    ) -> Iterator[Mapping[str, Any]]:
        """Values by key for configuration `number` of the search, from 0; without end.

        The first one that was not proposed before is taken. Equal arguments give equal values.
        """


def random_state(seed: int, number: int, attempt: int = 0) -> int:
    """32 random bits for one attempt at one configuration of the search with this seed."""
    return int(np.random.SeedSequence([seed, number, attempt]).generate_state(1)[0])
