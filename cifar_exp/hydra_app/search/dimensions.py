"""An override in Hydra's grammar as a dimension: `optimizer.lr=tag(log,interval(1e-3,1))`."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from hydra.core.override_parser.types import IntervalSweep, RangeSweep

from cifar_exp.config.metadata import number_kind
from cifar_exp.config.validation import find_field
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.overrides import ParsedOverride
from cifar_exp.sweeps.search.space import Dimension

LOG = "log"
Option = tuple[str, str]  # a group and an option of it


@dataclass(frozen=True)
class Searched:
    """An override that is searched, and the dimension that it makes.

    `typed` is the key as the user gave it, `optimizer.sgd.lr` for the rate of an option; the
    override has the setting's own.
    """

    typed: str
    override: ParsedOverride
    dimension: Dimension

    @property
    def ends(self) -> tuple[Any, ...]:
        """What the schema has to allow: both ends of the numbers, or every choice."""
        dimension = self.dimension
        is_choice = dimension.kind == "choice"
        return dimension.choices if is_choice else (dimension.low, dimension.high)


def read_dimension(
    override: ParsedOverride, shown: str, tree: Mapping[str, Any], when: Option | None
) -> Dimension:
    """The dimension of an override with several values; `tree` holds the settings where it exists.

    Raises UserError with a sentence that begins with `shown`, the override as it was typed.
    """
    sweep = override.override.value()
    values = [value.value for value in override.values]
    is_log = _is_log(getattr(sweep, "tags", ()), shown)
    if isinstance(sweep, IntervalSweep):
        low, high, step = *_interval(values, shown), None
    elif isinstance(sweep, RangeSweep):
        low, high, step = min(values), max(values), abs(sweep.step)
    elif is_log:
        raise UserError(f"{shown}: tag(log, ...) goes with an interval or a range")
    else:
        return Dimension(override.key, "choice", choices=tuple(values), when=when)
    kind = _kind(override.key, tree, [*values, step or 0])
    to_number = float if kind == "float" else partial(_whole, shown)
    low, high, step = to_number(low), to_number(high), None if step is None else to_number(step)
    if kind == "int" and step == 1:
        step = None
    if is_log:
        _check_log(low, step, shown)
    return Dimension(override.key, kind, low, high, step, is_log, when=when)


def _is_log(tags: Iterable[str], shown: str) -> bool:
    if not set(tags) <= {LOG}:
        raise UserError(f"{shown}: the only tag is log, as in tag(log,interval(1e-4,0.1))")
    return LOG in tags


def _interval(values: list[float], shown: str) -> tuple[float, float]:
    low, high = values
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UserError(f"{shown}: its ends must be finite")
    if low >= high:
        raise UserError(f"{shown}: its first end must be below the second")
    return low, high


def _check_log(low: float, step: float | None, shown: str) -> None:
    if low <= 0:
        raise UserError(f"{shown}: the logarithm needs a lower end above 0")
    if step is not None:
        raise UserError(f"{shown}: a step does not go with tag(log, ...); use an interval")


def _kind(key: str, tree: Mapping[str, Any], values: list[float]) -> Literal["int", "float"]:
    """Whether the setting takes integers only: what the schema says, else its value in YAML."""
    field = find_field(key, tree)
    kind = number_kind(field) if field is not None else None
    if kind is not None:
        return kind
    known = tree
    for part in key.split("."):
        known = known.get(part, {}) if isinstance(known, Mapping) else {}
    is_whole = all(float(value).is_integer() for value in values)
    return "int" if isinstance(known, int) and is_whole else "float"


def _whole(shown: str, value: float) -> int:
    if not float(value).is_integer():
        raise UserError(f"{shown}: takes integers only")
    return int(value)
