"""What the sections of the schema share: strict types, frozen values, ranges in words."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.fields import FieldInfo


class Nuisance:
    """Marks a setting that does not decide a run's result, and so is not part of its id."""


class Word:
    """Marks a setting of type str that takes a name or one of a few words, not free text."""


class Section(BaseModel):
    """A group of settings: frozen, and without any other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TargetSection(BaseModel):
    """A class of the user: `_target_` names it, and all other keys are its arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")

    target: Annotated[str, Word, Field(alias="_target_", pattern=r"^\w+(\.\w+)+$")] = Field(
        description="a class or function, as package.module.Class",
        json_schema_extra={"allowed": "a dotted name, such as package.module.Class"},
    )

    @model_validator(mode="after")
    def _finite(self) -> "TargetSection":
        for name, value in self.arguments.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name}={value}: must be a finite number")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of the target: every key that is not a field of the section."""
        return dict(self.__pydantic_extra__ or {})


def _not_a_boolean(value: object) -> object:
    # pydantic would take `true` for 1
    if isinstance(value, bool):
        raise ValueError("a boolean is not a number")
    return value


Flag = Annotated[bool, Field(strict=True)]  # pydantic would take 1, -0 and "yes" for booleans
Integer = Annotated[int, BeforeValidator(_not_a_boolean)]
# adding zero turns -0.0 into 0.0: one value, one run id
Number = Annotated[float, BeforeValidator(_not_a_boolean), AfterValidator(lambda v: v + 0.0)]


def describe_allowed(field: FieldInfo) -> str:
    """The values that a setting may have, in words: `a number in [0, 1)`, `one of relu, silu`."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "allowed" in extra:
        return str(extra["allowed"])
    return _describe(field.annotation, field.metadata)


def choices(field: FieldInfo) -> list[str]:
    """The names that a setting may have; empty if it is not a choice of names."""
    return [str(value) for value in _literals(field.annotation)]


def _describe(annotation: Any, metadata: Iterable[Any]) -> str:
    if get_origin(annotation) is Annotated:
        base, *own = get_args(annotation)
        nested = [m for part in own for m in getattr(part, "metadata", [part])]
        return _describe(base, [*nested, *metadata])
    if get_origin(annotation) in (Union, type(int | None)):
        return _describe_union(get_args(annotation), list(metadata))
    if get_origin(annotation) is Literal:
        values = [str(value) for value in get_args(annotation)]
        return values[0] if len(values) == 1 else "one of " + ", ".join(values)
    if get_origin(annotation) is tuple:
        return f"a list, each {_describe(get_args(annotation)[0], ())}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a group of settings"
    if annotation is bool:
        return "true or false"
    if annotation in (int, float):
        return _describe_number("an integer" if annotation is int else "a number", metadata)
    return "a non-empty string" if any(isinstance(m, MinLen) for m in metadata) else "a string"


def _describe_union(members: tuple[Any, ...], metadata: list[Any]) -> str:
    words = ["null" if m is type(None) else _describe(m, metadata) for m in members]
    return " or ".join(dict.fromkeys(words))


def _describe_number(kind: str, metadata: Iterable[Any]) -> str:
    low = next((m for m in metadata if isinstance(m, Ge | Gt)), None)
    high = next((m for m in metadata if isinstance(m, Le | Lt)), None)
    if low is None and high is None:
        return kind
    if high is None:
        return f"{kind} >= {low.ge}" if isinstance(low, Ge) else f"{kind} > {low.gt}"  # type: ignore[union-attr]
    if low is None:
        return f"{kind} <= {high.le}" if isinstance(high, Le) else f"{kind} < {high.lt}"
    left = f"[{low.ge}" if isinstance(low, Ge) else f"({low.gt}"
    right = f"{high.le}]" if isinstance(high, Le) else f"{high.lt})"
    return f"{kind} in {left}, {right}"


def _literals(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for part in get_args(annotation) for value in _literals(part)]
