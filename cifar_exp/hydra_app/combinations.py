"""Every combination of the listed values, seeds outermost."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from cifar_exp.config.identity import flatten
from cifar_exp.config.schema import Settings
from cifar_exp.hydra_app.overrides import OverrideValue

Dimension = Sequence[tuple[OverrideValue, ...]]  # a trial takes one element; its values go together


def combinations(dimensions: Sequence[Dimension]) -> Iterator[tuple[OverrideValue, ...]]:
    """Every combination, the last dimension fastest, but seeds slowest of all.

    So one whole grid is done before the second seed begins.
    """
    seeds = [d for d in dimensions if _is_seed(d)]
    others = [d for d in dimensions if not _is_seed(d)]
    order = [*seeds, *others]
    back = [order.index(d) for d in dimensions]
    for taken in product(*order):
        yield tuple(value for index in back for value in taken[index])


def swept_values(
    keys: Sequence[str], values: Sequence[OverrideValue], groups: set[str], settings: Settings
) -> dict[str, Any]:
    """The values of the swept keys: for a group its option's name, otherwise the typed setting."""
    typed = {value.key: value.value for value in values}
    resolved = flatten(settings)
    return {
        key: typed.get(key) if key in groups else resolved.get(key, typed.get(key)) for key in keys
    }


def _is_seed(dimension: Dimension) -> bool:
    return any(value.key == "seed" for step in dimension for value in step)
