"""Every YAML file under conf/ is composed and checked; no images are needed for that."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cifar_exp.config.identity import run_id
from cifar_exp.config.schema import COMMAND_GROUPS, Settings
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line

CONF = Path(__file__).resolve().parents[1] / "conf"
FILES = sorted(path.relative_to(CONF) for path in CONF.rglob("*") if path.is_file())
LAUNCHERS = ("local", "ray", "slurm")
HYDRAS = [
    *(Path(f"hydra/launcher/{name}.yaml") for name in LAUNCHERS),
    Path("hydra/sweeper/resuming.yaml"),
]
OPTIONS = [path for path in FILES if path.parent != Path() and path not in HYDRAS]
RECIPES = [path for path in OPTIONS if path.parts[0] in ("experiment", "sweep")]
COUNTS = {
    "augmentation": 4,
    "data": 4,
    "experiment": 2,
    "model": 6,
    "optimizer": 4,
    "pruning": 4,
    "scheduler": 5,
    "search": 5,
    "sweep": 5,
    "trainer": 1,
}


@cache
def composed(*overrides: str) -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose("config", list(overrides)), resolve=True)


def settings_of(option: Path) -> Settings:
    return validate(composed(f"{option.parts[0]}={option.stem}"))


def content(option: Path) -> dict[str, Any]:
    return yaml.safe_load((CONF / option).read_text()) or {}


def test_every_file_is_the_root_or_an_option_of_a_group() -> None:
    assert {path.suffix for path in FILES} == {".yaml"}
    assert [path for path in FILES if path not in OPTIONS] == [Path("config.yaml"), *HYDRAS]
    groups = [path.parts[0] for path in OPTIONS if len(path.parts) == 2]
    assert {group: groups.count(group) for group in groups} == COUNTS
    assert len(FILES) == 1 + len(HYDRAS) + sum(COUNTS.values())


def test_the_groups_are_those_that_the_root_file_names() -> None:
    defaults = yaml.safe_load((CONF / "config.yaml").read_text())["defaults"]
    entries = [entry for entry in defaults if isinstance(entry, dict)]
    named = {key for entry in entries for key in entry if not key.startswith("override ")}
    assert named == set(COUNTS)
    for group in set(COUNTS) - {"experiment", "sweep"}:
        (chosen,) = [entry[group] for entry in entries if group in entry]
        assert (CONF / group / f"{chosen}.yaml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_every_option_composes_to_settings_that_hold(option: Path) -> None:
    settings = settings_of(option)
    group = option.parts[0]
    own = {k: v for k, v in content(option).items() if k not in ("defaults", "hydra")}
    made = settings.model_dump(mode="json", by_alias=True)
    made = made if option in RECIPES else made[group]
    for key, value in own.items():
        if isinstance(value, dict):
            assert value.items() <= made[key].items()
        elif not (isinstance(value, str) and value.startswith("${")):
            assert made[key] == value


@pytest.mark.parametrize(
    "option", [path for path in OPTIONS if "defaults" in content(path)], ids=str
)
def test_a_file_that_builds_on_another_holds_only_what_differs(option: Path) -> None:
    own = content(option)
    own.pop("hydra", None)
    if option in RECIPES:
        overridden = [entry for entry in own.pop("defaults") if isinstance(entry, dict)]
        chosen = [f"{key.split('/')[1]}={v}" for entry in overridden for key, v in entry.items()]
        below = composed(*chosen)
        pairs = [(v, below[g][k]) for g, values in own.items() for k, v in values.items()]
    else:
        parent, _ = own.pop("defaults")
        below = composed(f"{option.parts[0]}={parent}")[option.parts[0]]
        pairs = [(value, below[key]) for key, value in own.items()]
    assert pairs
    assert not [(value, before) for value, before in pairs if value == before]


@pytest.mark.parametrize(
    "group", [g for g, n in COUNTS.items() if n > 1 and g not in ("sweep", *COMMAND_GROUPS)]
)
def test_no_two_options_of_a_group_give_the_same_run(group: str) -> None:
    ids = [run_id(settings_of(option)) for option in OPTIONS if option.parts[0] == group]
    assert len(set(ids)) == COUNTS[group]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_recipe_opens_with_the_command_that_runs_it(recipe: Path) -> None:
    text = (CONF / recipe).read_text()
    assert text.startswith("# @package _global_\n")
    command = re.match(r"# @package _global_\n# python -m cifar_exp\.train (.+)\n", text)
    assert command is not None
    grid = check_command_line(parse_arguments(shlex.split(command[1])))
    assert grid.is_sweep == (recipe.parts[0] == "sweep")
    if not grid.is_sweep:
        assert grid.settings == [settings_of(recipe)]


@pytest.mark.slow
def test_the_named_sweeps_are_the_grids_that_they_describe() -> None:
    grids = {
        option.stem: check_command_line(parse_arguments([f"sweep={option.stem}"]))
        for option in RECIPES
        if option.parts[0] == "sweep"
    }
    ids = {name: {run_id(settings) for settings in g.settings} for name, g in grids.items()}
    assert {name: len(found) for name, found in ids.items()} == {
        "quickstart": 2 * 2 * 2,
        "width_dropout": 3 * 3 * 3,
        "seeds": 5,
        "optimizers": 8 * 3,
        "search_recipe": 1,  # an example of what it may propose
    }
    assert {name: set(grid.keys) for name, grid in grids.items()} == {
        "quickstart": {"model.width", "model.dropout", "seed"},
        "width_dropout": {"model.width", "model.dropout", "seed"},
        "seeds": {"seed"},
        "optimizers": {"optimizer", "optimizer.lr", "seed"},
        "search_recipe": {
            "optimizer.lr",
            "optimizer.weight_decay",
            "model.width",
            "model.dropout",
        },
    }
    assert not any(grid.fixed for grid in grids.values())
