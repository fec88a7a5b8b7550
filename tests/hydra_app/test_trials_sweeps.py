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

Told = Callable[..., list[str]]

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


def ask(*line: str) -> Grid:
    return check_command_line(parse_arguments(line))


def of_file(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text())


def test_a_file_stands_for_its_lists_on_the_command_line(conf: Path) -> None:
    grid = ask("sweep=width_dropout")
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


def test_what_is_paired_moves_together(conf: Path) -> None:
    grid = ask("sweep=optimizers")
    steps = of_file(conf / "sweep" / "optimizers.yaml")["hydra"]["sweeper"]["paired"]
    found = [(s.seed, s.optimizer.name, s.optimizer.lr) for s in grid.settings]
    assert found == [
        (seed, step["optimizer"], step["optimizer.lr"]) for seed in range(3) for step in steps
    ]
    assert [dict(trial.values) for trial in grid.trials[:8]] == [{"seed": 0, **s} for s in steps]
    assert grid.fixed == {}


def test_a_file_of_ones_own_may_list_and_pair(own_yaml: Callable, conf: Path) -> None:
    padding = of_file(conf / "augmentation" / "strong.yaml")["crop_padding"]
    grid = ask("--config-dir", str(own_yaml(**{"sweep/ladder": LADDER})), "sweep=ladder")
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
    grid = ask("sweep=width_dropout", *line)
    found = [(s.seed, s.model.width, s.model.dropout) for s in grid.settings]
    assert found == list(product((5,), (4, 64), (0.0, 0.1, 0.2)))
    assert {(s.trainer.epochs, s.model.depth) for s in grid.settings} == {(3, 1)}
    assert sorted(grid.keys) == ["model.dropout", "model.width", "seed"]  # the sweep's, one value
    assert grid.fixed == {"trainer.epochs": 3, "model.depth": 1}


def test_lists_and_options_that_the_file_lacks_may_be_added() -> None:
    grid = ask("sweep=seeds", "model.depth=1,3", "optimizer=adam")
    found = [(s.seed, s.model.depth, s.optimizer.name) for s in grid.settings]
    assert found == list(product(range(5), (1, 3), ("adam",)))
    assert sorted(grid.keys) == ["model.depth", "seed"]


def test_what_the_file_sets_itself_is_not_fixed_though_it_is_typed(conf: Path) -> None:
    file = of_file(conf / "sweep" / "quickstart.yaml")
    spelled = [f"{key}={file[key.split('.')[0]][key.split('.')[1]]}" for key in SET_BY_QUICKSTART]
    assert ask("sweep=quickstart", "data=shapes", "model=tiny", *spelled).fixed == {}
    assert ask("sweep=quickstart", "data.limit_train=300").fixed == {"data.limit_train": 300}


def test_seeds_that_are_paired_are_outermost_too() -> None:
    paired = "hydra.sweeper.paired=[{seed: 3, model.width: 8}, {seed: 1, model.width: 16}]"
    grid = ask("--multirun", "model.dropout=0,0.5", paired)
    found = [(s.seed, s.model.width, s.model.dropout) for s in grid.settings]
    assert found == [(3, 8, 0.0), (3, 8, 0.5), (1, 16, 0.0), (1, 16, 0.5)]


def test_a_key_that_is_paired_and_listed_is_a_mistake(mistakes: Told, own_yaml: Callable) -> None:
    text = LADDER.replace("model.dropout: 0.0,0.5", "model.width: 1,2")
    own = ["--config-dir", str(own_yaml(**{"sweep/ladder": text})), "sweep=ladder"]
    told = "is in hydra.sweeper.paired too"
    assert mistakes(*own, "optimizer.lr=0.1,0.2", "augmentation=flip") == [
        f"model.width=1,2: model.width {told}",
        f"optimizer.lr=0.1,0.2: optimizer.lr {told}",
        f"augmentation=flip: augmentation {told}",
    ]


def test_a_paired_setting_that_is_wrong_is_told_as_any_other(mistakes: Told) -> None:
    paired = "[{model.width: 0, optimizer.lr: 0.1}, {model.widht: 8, optimizer: adma}]"
    told = mistakes("--multirun", f"hydra.sweeper.paired={paired}")
    assert sorted(told) == [
        "model.widht: no such setting; did you mean model.width?",
        "model.width=0: must be an integer in [1, 4096]",
        "optimizer=adma: no such option; optimizer may be adam, adamw, muon, sgd; "
        "did you mean adam?",
    ]


def test_a_broken_pairing_is_told_beside_other_mistakes(mistakes: Told) -> None:
    assert mistakes("--multirun", "hydra.sweeper.paired=[seed, 1]", "seed=-1") == [
        'hydra.sweeper.paired=["seed", 1]: must be a list of settings that move together, '
        "as [{model.width: 16, optimizer.lr: 0.4}, {model.width: 64, optimizer.lr: 0.2}]",
        "seed=-1: must be an integer in [0, 4294967296)",
    ]


def test_mistakes_in_a_file_of_ones_own_are_told(mistakes: Told, own_yaml: Callable) -> None:
    text = LADDER.replace("range(0,2)", "0,-1").replace("0.0,0.5", "0.0,1.5")
    own = own_yaml(**{"sweep/ladder": text})
    assert sorted(mistakes("--config-dir", str(own), "sweep=ladder")) == [
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
def test_a_sweep_is_one_of_its_folder(mistakes: Told, conf: Path, line: str, sentence: str) -> None:
    options = ", ".join(sorted(file.stem for file in (conf / "sweep").glob("*.yaml")))
    assert mistakes("--multirun", line) == [sentence.format(options=options)]


def test_mistakes_about_the_launcher_are_told_with_all_others(mistakes: Told) -> None:
    line = ["hydra.launcher.n_jobs=0", "hydra.launcher.memory_gb=lots", "model.widht=3"]
    assert mistakes("--multirun", "seed=0,1", *line) == [
        f"hydra.launcher.n_jobs=0: {OPTIONS}",
        "hydra.launcher.memory_gb=lots: must be a number in [0.001, 1000000]",
        "model.widht: no such setting; did you mean model.width?",
    ]


def test_the_launchers_section_goes_with_the_grid(conf: Path) -> None:
    grid = ask("--multirun", "seed=0,1", "hydra.launcher.n_jobs=3", "hydra.launcher.memory_gb=0.5")
    section = of_file(conf / "hydra" / "launcher" / "local.yaml")
    assert dict(grid.launcher) == {**section, "n_jobs": 3, "memory_gb": 0.5}
    assert grid.fixed == {}


@pytest.mark.parametrize("section", ["params", "paired"])
def test_a_text_of_a_sweeps_file_stays_a_text(own_yaml: Callable[..., Path], section: str) -> None:
    values = {"init_from": "12e4567890", "data.root": "007"}
    content: dict[str, Any] = {"hydra": {"mode": "MULTIRUN", "sweeper": {"params": {}}}}
    content["hydra"]["sweeper"][section] = [values] if section == "paired" else values
    own = own_yaml(**{"sweep/texts": HEAD + json.dumps(content)})
    (settings,) = ask("--config-dir", str(own), "sweep=texts").settings
    assert (settings.init_from, settings.data.root) == ("12e4567890", "007")


def test_listed_values_may_be_nested_as_yaml_is(own_yaml: Callable[..., Path]) -> None:
    text = "hydra: {mode: MULTIRUN, sweeper: {params: {model: {width: '4,5'}, seed: 3}}}\n"
    own = own_yaml(**{"sweep/nested": HEAD + text})
    grid = ask("--config-dir", str(own), "sweep=nested")
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
def test_an_option_is_chosen_once(mistakes: Told, line: tuple[str, ...], sentence: str) -> None:
    assert sentence in mistakes("--multirun", *line)


def test_a_sweeps_file_makes_many_runs_whatever_mode_it_names(
    own_yaml: Callable[..., Path],
) -> None:
    own = own_yaml(**{"sweep/plain": HEAD + "hydra: {sweeper: {params: {seed: '0,1'}}}\n"})
    grid = ask("--config-dir", str(own), "sweep=plain")
    assert grid.is_sweep
    assert [settings.seed for settings in grid.settings] == [0, 1]


def test_params_that_are_no_keys_are_told(own_yaml: Callable[..., Path], mistakes: Told) -> None:
    own = own_yaml(**{"sweep/odd": HEAD + "hydra: {sweeper: {params: 3}}\n"})
    assert mistakes("--config-dir", str(own), "sweep=odd") == [
        "hydra.sweeper.params=3: must be keys with their values"
    ]


def test_more_runs_than_anyone_can_mean_are_refused(mistakes: Told) -> None:
    assert mistakes("--multirun", "seed=range(1000)", "model.width=range(1,101)") == [
        "100,000 combinations; a sweep has at most 50,000 runs"
    ]


def test_a_mistyped_launcher_is_told_with_the_nearest(mistakes: Told) -> None:
    (told,) = mistakes("--multirun", "hydra/launcher=locl", "seed=0,1")
    assert told.startswith("hydra/launcher=locl: no such option; hydra/launcher may be basic, ")
    assert told.endswith("; did you mean local?")
