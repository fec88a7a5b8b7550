"""From a command line to the space of a search, and to the trials of proposals."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.identity import flatten, run_id
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line
from cifar_exp.sweeps.search.space import Dimension
from cifar_exp.sweeps.trial import Search

Settings = Callable[..., Any]

LINE = ("--multirun", "search.runs=4")
RATE = "optimizer.lr=tag(log,interval(0.02,1.0))"
EACH_ITS_RATES = (
    "optimizer.sgd.lr=tag(log,interval(0.05,2))",
    "optimizer.adamw.lr=tag(log,interval(3e-4,3e-2))",
    "optimizer.sgd.momentum=0.8",
    "optimizer=sgd,adamw",
    "optimizer.weight_decay=interval(0,1e-3)",
)


def search_of(*line: str, sampler: str = "tpe") -> Search:
    arguments = [*LINE, f"search={sampler}", *line]
    search = check_command_line(parse_arguments(arguments)).search
    assert search is not None
    return search


def dimensions_of(*line: str) -> tuple[Dimension, ...]:
    return search_of(*line).space.dimensions


@pytest.mark.parametrize(
    ("line", "dimension"),
    [
        (RATE, ("float", 0.02, 1.0, None, True)),
        ("optimizer.lr=interval(1,2)", ("float", 1.0, 2.0, None, False)),
        ("optimizer.lr=range(0.1,0.5,0.1)", ("float", 0.1, 0.4, 0.1, False)),
        ("model.width=interval(8,48)", ("int", 8, 48, None, False)),
        ("model.width=range(8,48)", ("int", 8, 47, None, False)),
        ("model.width=range(8,48,8)", ("int", 8, 40, 8, False)),
        ("model.width=shuffle(range(8,48,8))", ("int", 8, 40, 8, False)),
        ("model.width=tag(log,range(8,48))", ("int", 8, 47, None, True)),
    ],
)
def test_numbers_are_integers_where_the_schema_says_so(
    line: str, dimension: tuple[Any, ...]
) -> None:
    (found,) = dimensions_of(line)
    assert (found.kind, found.low, found.high, found.step, found.is_log) == dimension
    assert type(found.low).__name__ == found.kind


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("model=tiny,base", ("tiny", "base")),
        ("model.dropout=choice(0,0.1)", (0, 0.1)),
        ("trainer.gradient_clip=null,1", (None, 1)),
        ("scheduler=step,cosine", ("step", "cosine")),
    ],
)
def test_lists_are_choices(line: str, choices: tuple[Any, ...]) -> None:
    (found,) = dimensions_of(line)
    assert (found.kind, found.choices) == ("choice", choices)


def test_each_option_has_ranges_of_its_own() -> None:
    found = dimensions_of(*EACH_ITS_RATES)
    assert [(d.key, d.when, d.low) for d in found] == [
        ("optimizer", None, None),
        ("optimizer.lr", ("optimizer", "sgd"), 0.05),
        ("optimizer.lr", ("optimizer", "adamw"), 3e-4),
        ("optimizer.weight_decay", None, 0.0),
    ]


def test_a_proposal_becomes_the_trial_that_its_values_give_on_a_command_line(
    check: Settings,
) -> None:
    search = search_of(*EACH_ITS_RATES, "model=tiny,base", "trainer.epochs=3", "seed=5")
    values = {"optimizer": "sgd", "optimizer.lr": 0.1, "optimizer.weight_decay": 0.0005}
    trial = search.make_trial({**values, "model": "base"}, 7)
    line = [f"{key}={value}" for key, value in values.items()]
    (expected,) = check(*line, "optimizer.momentum=0.8", "trainer.epochs=3", "seed=7")
    assert run_id(trial.settings) == run_id(expected)
    assert trial.values == {**values, "model": "base", "seed": 7}
    assert trial.label == "base"
    (composed,) = check(*(each for each in trial.overrides if not each.startswith("search")))
    assert run_id(composed) == run_id(expected)


def test_what_one_option_has_alone_is_left_out_where_another_is_chosen(check: Settings) -> None:
    search = search_of(*EACH_ITS_RATES)
    values = {"optimizer": "adamw", "optimizer.lr": 0.01, "optimizer.weight_decay": 0.0}
    (expected,) = check(*(f"{key}={value}" for key, value in values.items()))
    assert run_id(search.make_trial(values, 0).settings) == run_id(expected)


def test_the_run_of_a_proposal_lies_in_the_space_with_its_values() -> None:
    search = search_of(*EACH_ITS_RATES, "model=tiny,base")
    values = {
        "optimizer": "adamw",
        "optimizer.lr": 0.01,
        "model": "base",
        "optimizer.weight_decay": 0.0,
    }
    params = flatten(search.make_trial(values, 0).settings)
    assert search.space.values_of(params) == values
    assert not search.space.contains({**params, "trainer.epochs": 1})
    assert not search.space.contains({**params, "model.depth": 1})
    assert search.space.contains({**params, "seed": 9, "trainer.threads": 3})


def test_a_proposal_takes_a_millisecond_or_so() -> None:
    search = search_of(RATE, "model=tiny,base")
    for model in ("tiny", "base"):
        search.make_trial({"optimizer.lr": 0.1, "model": model}, 0)
    begin = time.process_time()
    for number in range(100):
        search.make_trial({"optimizer.lr": 0.02 + number / 200, "model": "base"}, 0)
    compared = time.process_time()
    search_of(RATE)
    assert compared - begin < time.process_time() - compared


def test_the_sampler_and_its_seed_are_part_of_a_sweeps_name_unless_its_file_says_so() -> None:
    assert search_of(RATE).suffix == "-tpe"
    assert search_of(RATE, "search.seed=3", sampler="random").suffix == "-random-seed3"


def test_what_is_fixed_is_told_from_what_is_searched() -> None:
    line = [*LINE, "search=tpe", *EACH_ITS_RATES, "trainer.epochs=3"]
    grid = check_command_line(parse_arguments(line))
    assert grid.keys == ["optimizer", "optimizer.lr", "optimizer.weight_decay"]
    assert grid.fixed == {"trainer.epochs": 3, "optimizer.sgd.momentum": 0.8}
    assert [each.optimizer.name for each in grid.settings] == ["sgd", "adamw"]


SWEEP_FILE = """\
# @package _global_
defaults:
  - override /search: random
search: {runs: 9}
hydra:
  mode: MULTIRUN
  sweeper:
    params:
      optimizer: sgd,adamw
      optimizer.sgd.lr: tag(log, interval(0.05, 2))
      optimizer.adamw.lr: tag(log, interval(3e-4, 3e-2))
      optimizer.adamw.beta2: 0.99
      model.width: 8
"""


def test_a_sweep_file_may_hold_a_search(own_yaml: Callable[..., Path]) -> None:
    own = own_yaml(**{"sweep/mine": SWEEP_FILE})
    line = ["--config-dir", str(own), "sweep=mine"]
    grid = check_command_line(parse_arguments(line))
    assert grid.search is not None
    assert (grid.option, grid.search.suffix, grid.fixed) == ("mine", "", {})
    assert [d.low for d in grid.search.space.dimensions] == [None, 0.05, 3e-4]
    trial = grid.search.make_trial({"optimizer": "adamw", "optimizer.lr": 0.01}, 0)
    assert "optimizer.beta2=0.99" in trial.overrides
    changed = check_command_line(parse_arguments([*line, "search=tpe", "model.depth=1"]))
    assert changed.search is not None
    assert (changed.search.suffix, changed.fixed) == ("-tpe", {"model.depth": 1})


def test_what_is_believed_to_be_near_the_best_is_a_prior() -> None:
    near = "search.near='optimizer.sgd.lr=0.1 weight_decay=0.0005 optimizer=adamw'"
    found = dimensions_of(*EACH_ITS_RATES, near)
    assert [dimension.prior for dimension in found] == ["adamw", 0.1, None, 0.0005]
