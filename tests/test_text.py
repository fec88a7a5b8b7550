import json
from pathlib import Path

import pytest

from cifar_exp.text import aligned, counted, did_you_mean, to_json

MODELS = ["base", "deep", "tiny", "wide"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("wdie", "wide"), ("Base", "base"), ("tinny", "tiny")]
)
def test_a_name_near_a_valid_one_is_asked_about(typed: str, meant: str) -> None:
    assert did_you_mean(typed, MODELS) == f"; did you mean {meant}?"


def test_of_two_near_names_the_nearest_is_asked_about() -> None:
    assert did_you_mean("adamv", ["adam", "adamw"]) == "; did you mean adam?"
    assert did_you_mean("adamww", ["adam", "adamw"]) == "; did you mean adamw?"


@pytest.mark.parametrize("typed", ["resnet", "", "42"])
def test_a_name_far_from_all_valid_ones_gets_no_suggestion(typed: str) -> None:
    assert did_you_mean(typed, MODELS) == ""


def test_only_one_of_a_thing_is_singular() -> None:
    assert [counted(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


def test_without_valid_names_there_is_no_suggestion() -> None:
    assert did_you_mean("wide", []) == ""


def test_json_has_null_for_every_number_that_is_not_finite() -> None:
    value = {"a": [1.5, float("nan"), (float("inf"), {"b": -float("inf")})], "c": "nan", "d": True}
    expected = {"a": [1.5, None, [None, {"b": None}]], "c": "nan", "d": True}
    assert json.loads(to_json(value)) == expected


def test_json_is_printable_whatever_is_in_it() -> None:
    text = to_json({"name": "\x1b[31mred\ud800", "folder": Path("a/b")})
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"name": "\x1b[31mred\ud800", "folder": "a/b"}


def test_columns_of_numbers_are_aligned_on_the_right_and_words_on_the_left() -> None:
    rows = [("rank", "name", "value"), ("1", "a", "5.00 %"), ("10", "long", "-"), ("2", "b", "")]
    assert aligned(rows) == [
        "rank  name   value",
        "   1  a     5.00 %",
        "  10  long       -",
        "   2  b",
    ]
    assert aligned([("only", "headings")]) == ["only  headings"]
