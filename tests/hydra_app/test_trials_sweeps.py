"""Sweeps that are written down in a file: ours and the user's own."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line
from cifar_exp.sweeps.trial import Grid

ErrorsOf = Callable[..., list[str]]

HEAD = "# @package _global_\n"
LADDER = f"""{HEAD}
defaults:
  - override /model: tiny
trainer:
  epochs: 7
hydra:
  mode: MULTIRUN
  sweeper:
    params:
      seed: range(0,2)
      model.dropout: 0.0,0.5
    paired:
      - {{model.width: 4, optimizer.lr: 0.4, augmentation: flip}}
      - {{model.width: 8, optimizer.lr: 0.2, augmentation: none}}
      - {{model: {{width: 12}}, optimizer.lr: 0.1, augmentation: strong}}
"""
SET_BY_QUICKSTART = ("trainer.epochs", "data.limit_train", "data.limit_test")
OPTIONS = "must be auto or an integer in [1, 1024]"


def grid_of(*line: str) -> Grid:
    return check_command_line(parse_arguments(line))


def of_file(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text())


def test_a_sweep_file_equals_its_lists_on_the_command_line(conf: Path) -> None:
    grid = grid_of("sweep=width_dropout")
    file = of_file(conf / "sweep" / "width_dropout.yaml")
    params = {key: values.split(",") for key, values in file["hydra"]["sweeper"]["params"].items()}
    found = [(s.seed, s.model.width, s.model.dropout) for s in grid.settings]
    assert found == [
        (int(seed), int(width), float(dropout))
        for seed, width, dropout in product(
            params["seed"], params["model.width"], params["model.dropout"]
        )
    ]
    assert {s.trainer.epochs for s in grid.settings} == {file["trainer"]["epochs"]}
    assert (grid.option, grid.is_sweep, grid.fixed) == ("width_dropout", True, {})
    assert list(grid.keys) == list(params)


def test_paired_settings_move_together(conf: Path) -> None:
    grid = grid_of("sweep=optimizers")
    steps = of_file(conf / "sweep" / "optimizers.yaml")["hydra"]["sweeper"]["paired"]
    found = [(s.seed, s.optimizer.name, s.optimizer.lr) for s in grid.settings]
    assert found == [
        (seed, step["optimizer"], step["optimizer.lr"]) for seed in range(3) for step in steps
    ]
    assert [dict(trial.values) for trial in grid.trials[:8]] == [{"seed": 0, **s} for s in steps]
    assert grid.fixed == {}


def test_a_sweep_file_of_the_users_may_list_and_pair(own_yaml: Callable, conf: Path) -> None:
    padding = of_file(conf / "augmentation" / "strong.yaml")["crop_padding"]
    grid = grid_of("--config-dir", str(own_yaml(**{"sweep/ladder": LADDER})), "sweep=ladder")
    steps = [(4, 0.4, 0), (8, 0.2, 0), (12, 0.1, padding)]  # width, rate, crop padding
    found = [
        (s.seed, s.model.dropout, (s.model.width, s.optimizer.lr, s.augmentation.crop_padding))
        for s in grid.settings
    ]
    assert found == list(product((0, 1), (0.0, 0.5), steps))
    assert {(trial.settings.trainer.epochs, trial.label) for trial in grid.trials} == {(7, "tiny")}
    assert sorted(grid.keys) == [
        "augmentation",
        "model.dropout",
        "model.width",
        "optimizer.lr",
        "seed",
    ]
    assert grid.trials[-1].values["augmentation"] == "strong"
    assert (grid.option, grid.fixed) == ("ladder", {})


def test_the_command_line_wins_over_the_file() -> None:
    line = ["model.width=4,64", "seed=5", "trainer.epochs=3", "model.depth=1"]
    grid = grid_of("sweep=width_dropout", *line)
    found = [(s.seed, s.model.width, s.model.dropout) for s in grid.settings]
    assert found == list(product((5,), (4, 64), (0.0, 0.1, 0.2)))
    assert {(s.trainer.epochs, s.model.depth) for s in grid.settings} == {(3, 1)}
    assert sorted(grid.keys) == ["model.dropout", "model.width", "seed"]  # the sweep's, one value
    assert grid.fixed == {"trainer.epochs": 3, "model.depth": 1}


def test_lists_and_options_can_be_added_to_a_sweep_file() -> None:
    grid = grid_of("sweep=seeds", "model.depth=1,3", "optimizer=adam")
    found = [(s.seed, s.model.depth, s.optimizer.name) for s in grid.settings]
    assert found == list(product(range(5), (1, 3), ("adam",)))
    assert sorted(grid.keys) == ["model.depth", "seed"]


def test_settings_of_the_sweep_file_are_not_fixed_even_if_typed(conf: Path) -> None:
    file = of_file(conf / "sweep" / "quickstart.yaml")
    spelled = [f"{key}={file[key.split('.')[0]][key.split('.')[1]]}" for key in SET_BY_QUICKSTART]
    assert grid_of("sweep=quickstart", "data=shapes", "model=tiny", *spelled).fixed == {}
    assert grid_of("sweep=quickstart", "data.limit_train=300").fixed == {"data.limit_train": 300}


def test_paired_seeds_are_outermost_too() -> None:
    paired = "hydra.sweeper.paired=[{seed: 3, model.width: 8}, {seed: 1, model.width: 16}]"
    grid = grid_of("--multirun", "model.dropout=0,0.5", paired)
    found = [(s.seed, s.model.width, s.model.dropout) for s in grid.settings]
    assert found == [(3, 8, 0.0), (3, 8, 0.5), (1, 16, 0.0), (1, 16, 0.5)]


def test_a_key_that_is_paired_and_listed_is_a_mistake(
    errors_of: ErrorsOf, own_yaml: Callable
) -> None:
    text = LADDER.replace("model.dropout: 0.0,0.5", "model.width: 1,2")
    own = ["--config-dir", str(own_yaml(**{"sweep/ladder": text})), "sweep=ladder"]
    errors = "is in hydra.sweeper.paired too"
    assert errors_of(*own, "optimizer.lr=0.1,0.2", "augmentation=flip") == [
        f"model.width=1,2: model.width {errors}",
        f"optimizer.lr=0.1,0.2: optimizer.lr {errors}",
        f"augmentation=flip: augmentation {errors}",
    ]


def test_a_wrong_paired_setting_is_reported_like_any_other(errors_of: ErrorsOf) -> None:
    paired = "[{model.width: 0, optimizer.lr: 0.1}, {model.widht: 8, optimizer: adma}]"
    errors = errors_of("--multirun", f"hydra.sweeper.paired={paired}")
    assert sorted(errors) == [
        "model.widht: no such setting; did you mean model.width?",
        "model.width=0: must be an integer in [1, 4096]",
        "optimizer=adma: no such option; optimizer may be adam, adamw, muon, sgd; "
        "did you mean adam?",
    ]


def test_a_broken_pairing_is_reported_with_other_mistakes(errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "hydra.sweeper.paired=[seed, 1]", "seed=-1") == [
        'hydra.sweeper.paired=["seed", 1]: must be a list of settings that move together, '
        "as [{model.width: 16, optimizer.lr: 0.4}, {model.width: 64, optimizer.lr: 0.2}]",
        "seed=-1: must be an integer in [0, 4294967296)",
    ]


def test_mistakes_in_a_sweep_file_are_reported(errors_of: ErrorsOf, own_yaml: Callable) -> None:
    text = LADDER.replace("range(0,2)", "0,-1").replace("0.0,0.5", "0.0,1.5")
    own = own_yaml(**{"sweep/ladder": text})
    assert sorted(errors_of("--config-dir", str(own), "sweep=ladder")) == [
        "model.dropout=1.5: must be a number in [0, 1)",
        "seed=-1: must be an integer in [0, 4294967296)",
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("sweep=seds", "sweep=seds: no such option; sweep may be {options}; did you mean seeds?"),
        ("sweep=seeds,quickstart", "sweep=seeds,quickstart: takes one value at a time"),
        ("hydra.launcher.n_jobs=1,2", "hydra.launcher.n_jobs=1,2: takes one value at a time"),
    ],
)
def test_a_sweep_option_must_exist_and_be_one(
    errors_of: ErrorsOf, conf: Path, line: str, sentence: str
) -> None:
    options = ", ".join(sorted(file.stem for file in (conf / "sweep").glob("*.yaml")))
    assert errors_of("--multirun", line) == [sentence.format(options=options)]


def test_mistakes_in_launcher_options_are_reported_with_all_others(errors_of: ErrorsOf) -> None:
    line = ["hydra.launcher.n_jobs=0", "hydra.launcher.memory_gb=lots", "model.widht=3"]
    assert errors_of("--multirun", "seed=0,1", *line) == [
        f"hydra.launcher.n_jobs=0: {OPTIONS}",
        "hydra.launcher.memory_gb=lots: must be a number in [0.001, 1000000]",
        "model.widht: no such setting; did you mean model.width?",
    ]


def test_the_grid_carries_the_options_of_the_launcher(conf: Path) -> None:
    grid = grid_of(
        "--multirun", "seed=0,1", "hydra.launcher.n_jobs=3", "hydra.launcher.memory_gb=0.5"
    )
    section = of_file(conf / "hydra" / "launcher" / "local.yaml")
    assert dict(grid.launcher) == {**section, "n_jobs": 3, "memory_gb": 0.5}
    assert grid.fixed == {}


@pytest.mark.parametrize("section", ["params", "paired"])
def test_text_in_a_sweep_file_stays_text(own_yaml: Callable[..., Path], section: str) -> None:
    values = {"init_from": "12e4567890", "data.root": "007"}
    content: dict[str, Any] = {"hydra": {"mode": "MULTIRUN", "sweeper": {"params": {}}}}
    content["hydra"]["sweeper"][section] = [values] if section == "paired" else values
    own = own_yaml(**{"sweep/texts": HEAD + json.dumps(content)})
    (settings,) = grid_of("--config-dir", str(own), "sweep=texts").settings
    assert (settings.init_from, settings.data.root) == ("12e4567890", "007")


def test_listed_keys_may_be_nested(own_yaml: Callable[..., Path]) -> None:
    text = "hydra: {mode: MULTIRUN, sweeper: {params: {model: {width: '4,5'}, seed: 3}}}\n"
    own = own_yaml(**{"sweep/nested": HEAD + text})
    grid = grid_of("--config-dir", str(own), "sweep=nested")
    assert [(s.model.width, s.seed) for s in grid.settings] == [(4, 3), (5, 3)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (("sweep=seeds", "sweep=quickstart"), "sweep=...: is given 2 times"),
        (("model=tiny", "model=wide"), "model=...: is given 2 times"),
        (("sweep=seeds,quickstart",), "sweep=seeds,quickstart: takes one value at a time"),
    ],
    ids=str,
)
def test_an_option_is_chosen_once(
    errors_of: ErrorsOf, line: tuple[str, ...], sentence: str
) -> None:
    assert sentence in errors_of("--multirun", *line)


def test_a_sweep_file_makes_a_sweep_without_naming_the_mode(
    own_yaml: Callable[..., Path],
) -> None:
    own = own_yaml(**{"sweep/plain": HEAD + "hydra: {sweeper: {params: {seed: '0,1'}}}\n"})
    grid = grid_of("--config-dir", str(own), "sweep=plain")
    assert grid.is_sweep
    assert [settings.seed for settings in grid.settings] == [0, 1]


def test_params_that_are_not_keys_are_a_mistake(
    own_yaml: Callable[..., Path], errors_of: ErrorsOf
) -> None:
    own = own_yaml(**{"sweep/odd": HEAD + "hydra: {sweeper: {params: 3}}\n"})
    assert errors_of("--config-dir", str(own), "sweep=odd") == [
        "hydra.sweeper.params=3: must be keys with their values"
    ]


def test_too_many_combinations_are_refused(errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "seed=range(1000)", "model.width=range(1,101)") == [
        "100,000 combinations; a sweep has at most 50,000 runs"
    ]


def test_the_nearest_launcher_is_suggested_for_a_mistyped_one(errors_of: ErrorsOf) -> None:
    (errors,) = errors_of("--multirun", "hydra/launcher=locl", "seed=0,1")
    assert errors.startswith("hydra/launcher=locl: no such option; hydra/launcher may be basic, ")
    assert errors.endswith("; did you mean local?")
