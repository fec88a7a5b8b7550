"""Reads the values of a proposal back from runs.csv, where they are text."""

from collections.abc import Mapping
from typing import Any

from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.text import value_as_text


def values_in_row(space: Space, texts: Mapping[str, str]) -> dict[str, Any] | None:
    """The values by key; None if the row does not have those that the space's dimensions need.

    They may lie outside of the space: it may have been wider in an earlier command.
    """
    values: dict[str, Any] = {}
    for dimension in space.dimensions:
        if dimension.is_present(values):
            try:
                values[dimension.key] = _parse(dimension, texts.get(dimension.key, ""))
            except ValueError:
                return None
    return values


def _parse(dimension: Dimension, text: str) -> Any:
    """Raises ValueError if the text is not of this kind."""
    if dimension.kind == "int":
        return int(text)
    if dimension.kind == "float":
        return float(text)
    for choice in dimension.choices:
        if value_as_text(choice) == text:
            return choice
    raise ValueError(text)
