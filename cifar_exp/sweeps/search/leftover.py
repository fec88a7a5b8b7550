"""Any configurations of a space, for a sampler that proposes only what was there before."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from cifar_exp.sweeps.search.samplers.independent import RandomSampler
from cifar_exp.sweeps.search.samplers.unit_cube import as_value
from cifar_exp.sweeps.search.space import Dimension, Space

MOST_LISTED = 50_000
MOST_DRAWN = 1_000


def leftover(space: Space, seed: int, number: int) -> Iterator[Mapping[str, Any]]:
    """All configurations in random order; of a space that is too large to list, some."""
    random = np.random.default_rng([seed, number])
    size = space.size()
    if size is not None and size <= MOST_LISTED:
        listed = list(islice(_all(space, {}, 0), MOST_LISTED))
        yield from (listed[place] for place in random.permutation(len(listed)))
    else:
        yield from islice(RandomSampler(space, seed).candidates((), number), MOST_DRAWN)


def _all(space: Space, values: Mapping[str, Any], place: int) -> Iterator[dict[str, Any]]:
    if place == len(space.dimensions):
        yield dict(values)
        return
    dimension = space.dimensions[place]
    if not dimension.is_present(values):
        yield from _all(space, values, place + 1)
        return
    for value in _values(dimension):
        yield from _all(space, {**values, dimension.key: value}, place + 1)


def _values(dimension: Dimension) -> Iterator[Any]:
    if dimension.kind == "choice":
        yield from dimension.choices
    else:
        for index in range(dimension.size or 0):
            low, step = dimension.low or 0, dimension.step or 1
            yield as_value(dimension, low + index * step)
