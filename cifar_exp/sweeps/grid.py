"""The cells of a sweep: every combination of the listed values, each with its checked settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from cifar_exp.config.identity import flatten
from cifar_exp.config.schema import Settings
from cifar_exp.sweeps.asking import Choice

Alternatives = Sequence[tuple[Choice, ...]]  # one of them is taken; its choices go together


@dataclass(frozen=True)
class Cell:
    """One run that is asked for. `values` are its swept settings, or options, by key."""

    settings: Settings
    label: str
    overrides: tuple[str, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Grid:
    """All that a command line asks for, seeds outermost.

    `keys` are swept. `option` is the sweep option's name. `fixed` holds the settings that all
    cells share and that differ from the option's file, or from the defaults; `launcher` is
    Hydra's section on it.
    """

    cells: Sequence[Cell]
    keys: Sequence[str]
    is_sweep: bool
    option: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    launcher: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> list[Settings]:
        """The settings of every cell."""
        return [cell.settings for cell in self.cells]


def combinations(dimensions: Sequence[Alternatives]) -> Iterator[tuple[Choice, ...]]:
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
    keys: Sequence[str], choices: Sequence[Choice], groups: set[str], settings: Settings
) -> dict[str, Any]:
    """The values of the swept keys: of a group the option's name, else what the schema made."""
    asked = {choice.key: choice.value for choice in choices}
    resolved = flatten(settings)
    return {
        key: asked.get(key) if key in groups else resolved.get(key, asked.get(key)) for key in keys
    }


def _is_seed(alternatives: Alternatives) -> bool:
    return any(choice.key == "seed" for step in alternatives for choice in step)
