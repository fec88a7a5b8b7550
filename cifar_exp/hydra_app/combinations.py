"""Every combination of the listed values, seeds outermost."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from cifar_exp.config.identity import flatten
from cifar_exp.config.schema import Settings
from cifar_exp.hydra_app.overrides import OverrideValue

Dimension = Sequence[tuple[OverrideValue, ...]]  # one of them is taken; its choices go together


def combinations(dimensions: Sequence[Dimension]) -> Iterator[tuple[OverrideValue, ...]]:
    """Every combination, the last dimension fastest, but seeds slowest of all.

    So one whole grid is there before the second seed begins.
    """
    seeds = [d for d in dimensions if _is_seed(d)]
    others = [d for d in dimensions if not _is_seed(d)]
    order = [*seeds, *others]
    back = [order.index(d) for d in dimensions]
    for taken in product(*order):
        yield tuple(choice for index in back for choice in taken[index])


def swept_values(
    keys: Sequence[str], choices: Sequence[OverrideValue], groups: set[str], settings: Settings
) -> dict[str, Any]:
    """The values of the swept keys: of a group the option's name, else what the schema made."""
    asked = {choice.key: choice.value for choice in choices}
    resolved = flatten(settings)
    return {
        key: asked.get(key) if key in groups else resolved.get(key, asked.get(key)) for key in keys
    }


def _is_seed(alternatives: Dimension) -> bool:
    return any(choice.key == "seed" for step in alternatives for choice in step)
