"""Values of a dimension as numbers in [0, 1), for samplers that know nothing else."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cifar_exp.sweeps.search.space import Dimension, Space

DIGITS, STEP_DIGITS = 6, 12  # significant: short on a command line; a step is hit exactly


def from_unit(dimension: Dimension, share: float) -> Any:
    """The value that lies `share` of the way through the dimension's values, in [0, 1]."""
    if dimension.size is not None and not dimension.is_log:
        index = min(int(share * dimension.size), dimension.size - 1)
        if dimension.kind == "choice":
            return dimension.choices[index]
        return as_value(dimension, _low(dimension) + index * (dimension.step or 1))
    low, high = _ends(dimension)
    value = low + share * (high - low)
    return as_value(dimension, math.exp(value) if dimension.is_log else value)


def to_unit(dimension: Dimension, value: Any) -> float:
    """Where a value lies among the dimension's, in [0, 1]; the middle of an integer's share."""
    if dimension.kind == "choice":
        return (dimension.choices.index(value) + 0.5) / len(dimension.choices)
    number = float(value)
    if dimension.size is not None and not dimension.is_log:
        return (round((number - _low(dimension)) / (dimension.step or 1)) + 0.5) / dimension.size
    low, high = _ends(dimension)
    return ((math.log(number) if dimension.is_log else number) - low) / (high - low)


def as_value(dimension: Dimension, number: float) -> float | int:
    """A number as the dimension has it: within its ends, and with few digits."""
    if dimension.kind == "int":
        number = round(number)
    else:
        number = float(f"{number:.{STEP_DIGITS if dimension.step else DIGITS}g}")
    low, high = dimension.low, dimension.high
    assert low is not None
    assert high is not None
    kind = int if dimension.kind == "int" else float
    return kind(min(max(number, low), high))


def point(space: Space, shares: Sequence[float]) -> dict[str, Any]:
    """Values by key, from one share in [0, 1) for each dimension of the space."""
    values: dict[str, Any] = {}
    for dimension, share in zip(space.dimensions, shares, strict=True):
        if dimension.is_present(values):
            values[dimension.key] = from_unit(dimension, share)
    return values


def coordinates(space: Space, values: Mapping[str, Any]) -> list[float]:
    """One share for each dimension of a space in which all are present."""
    return [to_unit(dimension, values[dimension.key]) for dimension in space.dimensions]


def _low(dimension: Dimension) -> float:
    return dimension.low or 0.0


def _ends(dimension: Dimension) -> tuple[float, float]:
    """The ends of a range, as logarithms where it is logarithmic."""
    low, high = dimension.low, dimension.high
    assert low is not None
    assert high is not None
    if not dimension.is_log:
        return low, high
    margin = 0.5 if dimension.kind == "int" else 0.0  # so that both ends get their whole share
    return math.log(low - margin), math.log(high + margin)
