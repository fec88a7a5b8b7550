import pytest

from cifar_exp.text import counted, did_you_mean

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
