from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from cifar_exp.config.fields import (
    Flag,
    Integer,
    Number,
    Section,
    TargetSection,
    choices,
    describe_allowed,
)


class Kinds(Section):
    """One field of each kind of annotation."""

    integer: Integer
    number: Number
    at_least: Annotated[Integer, Field(ge=1)]
    above: Annotated[Number, Field(gt=0)]
    at_most: Annotated[Integer, Field(le=9)]
    below: Annotated[Number, Field(lt=2)]
    closed: Annotated[Number, Field(ge=0, le=1)]
    opened: Annotated[Number, Field(gt=0, lt=1)]
    half_open: Annotated[Integer, Field(ge=0, lt=8)] = Field(description="with words of its own")
    nullable: Annotated[Integer, Field(ge=1)] | None
    choice: Literal["relu", "silu"]
    only: Literal["convnet"]
    name_or_count: Literal["auto"] | Annotated[Integer, Field(ge=1)]
    numbers: tuple[Annotated[Number, Field(gt=0, le=1)], ...]
    names: tuple[Literal["a", "b"], ...]
    switch: Flag
    text: str
    filled: str = Field(min_length=1)


IN_WORDS = {
    "integer": "an integer",
    "number": "a number",
    "at_least": "an integer >= 1",
    "above": "a number > 0",
    "at_most": "an integer <= 9",
    "below": "a number < 2",
    "closed": "a number in [0, 1]",
    "opened": "a number in (0, 1)",
    "half_open": "an integer in [0, 8)",
    "nullable": "an integer >= 1 or null",
    "choice": "one of relu, silu",
    "only": "convnet",
    "name_or_count": "auto or an integer >= 1",
    "numbers": "a list, each a number in (0, 1]",
    "names": "a list, each one of a, b",
    "switch": "true or false",
    "text": "a string",
    "filled": "a non-empty string",
}


@pytest.mark.parametrize("name", Kinds.model_fields)
def test_the_values_of_a_setting_are_described_in_words(name: str) -> None:
    assert describe_allowed(Kinds.model_fields[name]) == IN_WORDS[name]


def test_only_choices_have_names_to_choose_from() -> None:
    found = {name: choices(field) for name, field in Kinds.model_fields.items()}
    assert {name: names for name, names in found.items() if names} == {
        "choice": ["relu", "silu"],
        "only": ["convnet"],
        "name_or_count": ["auto"],
        "names": ["a", "b"],
    }


class Small(Section):
    """Two numbers."""

    count: Integer = 1
    rate: Number = 0.5


@pytest.mark.parametrize("name", ["count", "rate"])
@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_not_a_number(name: str, value: bool) -> None:
    with pytest.raises(ValidationError, match="a boolean is not a number"):
        Small(**{name: value})


class Switch(Section):
    """A boolean."""

    is_on: Flag


@pytest.mark.parametrize("value", [0, 1, -0.0, 1.0, 0.9999999999999999, "true", "yes", "on", "0"])
def test_only_true_and_false_are_booleans(value: Any) -> None:
    with pytest.raises(ValidationError, match="valid boolean"):
        Switch(is_on=value)
    assert [Switch(is_on=boolean).is_on for boolean in (True, False)] == [True, False]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "nan", "inf"])
def test_a_number_is_finite(value: Any) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Small(rate=value)


def test_a_section_cannot_be_changed_and_accepts_no_other_key() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Small().count = 2  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Small(counts=2)  # type: ignore[call-arg]


def test_every_key_besides_the_target_is_an_argument_whatever_its_name() -> None:
    given = {"width": 3, "target": "x", "arguments": 1, "nested": {"a": [1, 2]}}
    section = TargetSection(**{"_target_": "mine.Net", **given})
    assert section.target == "mine.Net"
    assert section.arguments == given


@pytest.mark.parametrize("name", ["Net", "mine.", ".Net", "mine..Net", "mine.Net()", "a b.c", ""])
def test_a_target_is_a_dotted_name(name: str) -> None:
    with pytest.raises(ValidationError, match="_target_"):
        TargetSection(**{"_target_": name})
