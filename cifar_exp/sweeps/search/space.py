"""The space of a search: what each setting may be, and which runs lie in it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeGuard

from pydantic import TypeAdapter

from cifar_exp.text import value_as_text

# Steps of a range are summed in floating point: 0.1 + 0.2 is a step of 0.1.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Dimension:
    """A setting, or a group of options, with what it may be.

    A number lies in [`low`, `high`], with `step` only every so far from `low`; `is_log` says that
    it is searched by its logarithm. A choice is one of `choices`. With `when`, a group and an
    option of it, the dimension exists only where that option is chosen; dimensions of several
    options may have one `key`. `prior`: what the user believes to be near the best value.
    """

    key: str
    kind: Literal["float", "int", "choice"]
    low: float | None = None
    high: float | None = None
    step: float | None = None
    is_log: bool = False
    choices: tuple[Any, ...] = ()
    when: tuple[str, str] | None = None
    prior: float | str | None = None

    @property
    def name(self) -> str:
        """Unlike `key`, no other dimension of the space has it: `optimizer.lr (optimizer=sgd)`."""
        return self.key if self.when is None else f"{self.key} ({'='.join(self.when)})"

    @property
    def size(self) -> int | None:
        """The number of its values; None if there is no end of them."""
        if self.kind == "choice":
            return len(self.choices)
        if self.low is None or self.high is None or (self.kind == "float" and not self.step):
            return None
        return math.floor((self.high - self.low) / (self.step or 1) + TOLERANCE) + 1

    def is_present(self, values: Mapping[str, Any]) -> bool:
        """Whether it exists where `values`, by key, are chosen."""
        return self.when is None or values.get(self.when[0]) == self.when[1]

    def contains(self, value: Any) -> bool:
        """Whether it may be this value of run.json's params."""
        if self.kind == "choice":
            return any(_is_same(value, choice) for choice in self.choices)
        if not _is_number(value) or self.low is None or self.high is None:
            return False
        if self.kind == "int" and value != int(value):
            return False
        if not self.step:
            return self.low <= value <= self.high
        steps = (value - self.low) / self.step
        is_a_step = abs(steps - round(steps)) <= TOLERANCE
        return is_a_step and 0 <= round(steps) < (self.size or 0)

    def __str__(self) -> str:
        return f"{self.name}: {self._range()}{'' if self.prior is None else f', near {self.prior}'}"

    def _range(self) -> str:
        if self.kind == "choice":
            return ", ".join(map(value_as_text, self.choices))
        step = f" by {self.step:g}" if self.step else ""
        return f"{self.low:g} to {self.high:g}{step}{', by its logarithm' if self.is_log else ''}"

    def as_dict(self) -> dict[str, Any]:
        """For sweep.yaml: its fields, less those that do not apply."""
        fields = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {k: v for k, v in fields.items() if v is not None and v is not False and v != []}


@dataclass(frozen=True)
class Space:
    """The dimensions of a search; a group comes before the dimensions of its options.

    `options`: by group and option, the flat settings that tell the option from the others.
    `fixed`: the flat settings that all runs share.
    """

    dimensions: tuple[Dimension, ...]
    options: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def present(self, values: Mapping[str, Any]) -> list[Dimension]:
        """The dimensions that exist where `values`, by key, are chosen."""
        return [dimension for dimension in self.dimensions if dimension.is_present(values)]

    def contains(self, params: Mapping[str, Any]) -> bool:
        """Whether a run with these params of run.json lies in the space, whatever its seed."""
        return self.values_of(params) is not None

    def values_of(self, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values, by key, that give a run with these params of run.json; None outside.

        Settings that `params` does not have count as equal, because the run may be older than
        they are: whether it is really the run of these values, its id tells.
        """
        if not _agree(self.fixed, params):
            return None
        values: dict[str, Any] = {}
        for group in self.options:
            option = self._option_of(group, params)
            if option is None:
                return None
            values[group] = option
        for dimension in self.present(values):
            if dimension.key in self.options:
                continue
            if not dimension.contains(params.get(dimension.key)):
                return None
            values[dimension.key] = params[dimension.key]
        return {d.key: values[d.key] for d in self.present(values)}

    def size(self) -> int | None:
        """The number of configurations; None if there is no end of them."""
        factors = [self._size_of(d) for d in self.dimensions if d.when is None]
        return None if None in factors else math.prod(factor for factor in factors if factor)

    def as_dict(self) -> list[dict[str, Any]]:
        """For sweep.yaml: the dimensions."""
        return [dimension.as_dict() for dimension in self.dimensions]

    @classmethod
    def from_dict(cls, dimensions: Any) -> "Space":
        """The space whose dimensions sweep.yaml has. Raises ValueError if they are none."""
        return cls(TypeAdapter(tuple[Dimension, ...]).validate_python(dimensions))

    def _size_of(self, dimension: Dimension) -> int | None:
        """With the dimensions of its options, if it is a group."""
        total = 0
        if dimension.kind != "choice":
            return dimension.size
        for choice in dimension.choices:
            below = [d.size for d in self.dimensions if d.when == (dimension.key, choice)]
            if None in below:
                return None
            total += math.prod(size for size in below if size)
        return total

    def _option_of(self, group: str, params: Mapping[str, Any]) -> str | None:
        searched = {d.key for d in self.dimensions}
        for option, settings in self.options[group].items():
            own = {key: value for key, value in settings.items() if key not in searched}
            if _agree(own, params):
                return option
        return None


def _agree(settings: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    return all(_is_same(params[key], value) for key, value in _shared(settings, params))


def _shared(settings: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in settings.items() if key in params)


def _is_same(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
