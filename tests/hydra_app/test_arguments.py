from itertools import permutations

import pytest
from hydra._internal.utils import get_args_parser

from cifar_exp.errors import UserError
from cifar_exp.hydra_app.arguments import options_first, parse_arguments


def error_of(*line: str) -> str:
    with pytest.raises(UserError) as caught:
        parse_arguments(line)
    (sentence,) = caught.value.messages
    return sentence


def ordered(line: list[str]) -> list[str]:
    """The line as Hydra's main gets it."""
    return options_first(line, parse_arguments(line).overrides)


def test_overrides_and_options_are_separated() -> None:
    parsed = parse_arguments(["--multirun", "--config-dir", "mine", "model=wide", "seed=0,1"])
    assert parsed.overrides == ["model=wide", "seed=0,1"]
    assert (parsed.multirun, parsed.config_dir, parsed.help) == (True, "mine", False)


def test_options_may_stand_anywhere() -> None:
    blocks = [["--config-dir", "mine"], ["-m"], ["model=wide"], ["seed=0,1"]]
    for order in permutations(blocks):
        line = [word for block in order for word in block]
        parsed = parse_arguments(line)
        assert sorted(parsed.overrides) == ["model=wide", "seed=0,1"]
        assert (parsed.multirun, parsed.config_dir) == (True, "mine")
        # Hydra reads the command line again, and takes no override after an option
        assert vars(get_args_parser().parse_args(ordered(line))) | {"json": False} == vars(parsed)


def test_overrides_keep_their_order() -> None:
    line = ["seed=1", "-m", "model=wide", "--config-dir", "mine", "seed=2", "seed=1"]
    overrides = ["seed=1", "model=wide", "seed=2", "seed=1"]
    assert ordered(line) == ["-m", "--config-dir", "mine", *overrides]
    assert ordered(overrides) == overrides
    assert ordered([]) == []


def test_without_arguments_the_command_is_one_run() -> None:
    parsed = parse_arguments([])
    assert (parsed.overrides, parsed.multirun, parsed.config_dir) == ([], False, None)


@pytest.mark.parametrize("short", ["-m", "--multirun"])
def test_multirun_has_a_short_and_a_long_form(short: str) -> None:
    assert parse_arguments([short, "seed=0,1"]).multirun is True


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_parsed_and_not_printed(option: str) -> None:
    assert parse_arguments([option]).help is True


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("--multrun", "--multirun"), ("--config-dri", "--config-dir"), ("--hlep", "--help")],
)
def test_the_nearest_option_is_suggested_for_a_mistyped_one(typed: str, meant: str) -> None:
    assert error_of("seed=0", typed) == f"unrecognized arguments: {typed}; did you mean {meant}?"


def test_nothing_is_suggested_for_an_option_that_resembles_none() -> None:
    assert error_of("--zzzzzzzzzzzz") == "unrecognized arguments: --zzzzzzzzzzzz"


def test_an_option_without_its_value_is_named() -> None:
    assert error_of("seed=0", "--config-dir") == "argument --config-dir/-cd: expected one argument"


def test_a_wrong_option_prints_nothing_and_does_not_exit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error_of("--multrun")
    assert capsys.readouterr() == ("", "")


def test_null_recipes_are_left_out_as_they_are_the_default() -> None:
    assert ordered(["sweep=null", "experiment=null", "seed=1"]) == ["seed=1"]


@pytest.mark.parametrize("option", ["--cfg=job", "--info", "--shell-completion"])
def test_json_is_for_plans_not_for_what_hydra_prints(option: str) -> None:
    assert error_of("--json", option).startswith("--json goes with plan=true")
