"""The trials of a sweep: which, in what order, and what each is found by."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from cifar_exp.config.identity import run_id
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import CONFIG_NAME, Composer, open_composer
from cifar_exp.hydra_app.trials import check_command_line, check_overrides
from cifar_exp.sweeps.trial import Grid

GridOf = Callable[..., Grid]


class RecordingComposer(Composer):
    """Composes each choice of options once for all tests here, and records them in `composed`."""

    def __init__(self, composer: Composer) -> None:
        super().__init__(composer.config_loader, CONFIG_NAME)
        self.composed: list[tuple[str, ...]] = []
        self._known: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        line = tuple(overrides)
        self.composed.append(line)
        if line not in self._known:
            self._known[line] = super().compose(line)
        return self._known[line].copy()


@pytest.fixture(scope="module")
def composer() -> Iterator[RecordingComposer]:
    with open_composer(parse_arguments([])) as composer:
        yield RecordingComposer(composer)


@pytest.fixture
def grid_of(composer: RecordingComposer) -> GridOf:
    """The grid of a sweep's overrides."""
    composer.composed.clear()
    return lambda *lines: check_overrides(composer, lines, is_multirun=True)


def test_a_grid_is_every_combination_with_the_last_key_fastest(grid_of: GridOf) -> None:
    grid = grid_of("model.width=16,8", "optimizer=adam,sgd", "model.dropout=0,0.5")
    found = [(c.settings.model.width, c.settings.optimizer.name) for c in grid.trials[::2]]
    assert found == list(product((16, 8), ("adam", "sgd")))
    assert [c.settings.model.dropout for c in grid.trials] == [0.0, 0.5] * 4
    assert list(grid.keys) == ["model.width", "optimizer", "model.dropout"]


@pytest.mark.parametrize(
    "line",
    [
        ("seed=5,1", "model.width=8,16", "model.dropout=0,0.5"),
        ("model.width=8,16", "seed=5,1", "model.dropout=0,0.5"),
        ("model.width=8,16", "model.dropout=0,0.5", "seed=5,1"),
    ],
    ids=" ".join,
)
def test_seeds_are_outermost_wherever_they_are_typed(
    grid_of: GridOf, line: tuple[str, ...]
) -> None:
    grid = grid_of(*line)
    found = [
        (c.settings.seed, c.settings.model.width, c.settings.model.dropout) for c in grid.trials
    ]
    assert found == list(product((5, 1), (8, 16), (0.0, 0.5)))
    assert list(grid.keys) == [override.partition("=")[0] for override in line]


def test_the_values_of_a_trial_are_its_swept_settings_as_the_schema_types_them(
    grid_of: GridOf,
) -> None:
    grid = grid_of("optimizer.lr=1e-1,1", "model=tiny,resnet18", "scheduler=step", "seed=2")
    assert [dict(trial.values) for trial in grid.trials[:2]] == [
        {"optimizer.lr": 0.1, "model": "tiny"},
        {"optimizer.lr": 0.1, "model": "resnet18"},
    ]
    assert [type(trial.values["optimizer.lr"]) for trial in grid.trials] == [float] * 4
    assert [trial.label for trial in grid.trials] == ["tiny", "resnet18"] * 2


def test_lists_can_be_swept_values(grid_of: GridOf) -> None:
    grid = grid_of("scheduler=step", "scheduler.milestones=[0.5],[0.25,0.75]")
    assert [trial.values["scheduler.milestones"] for trial in grid.trials] == [[0.5], [0.25, 0.75]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        ("seed=1,0", "optimizer=adam,muon", "model.dropout=0.0,0.25", "trainer.epochs=3"),
        ("model.depth=3,1", "model.width=${model.depth}", "data.root='a b','c,d'"),
        ("model=resnet18", "+model.norm={kind: a},{kind: 'b c'}", "scheduler=step,cosine"),
        ("sweep=width_dropout", "model.width=8,4", "hydra.launcher.n_jobs=1"),
    ],
    ids=" ".join,
)
def test_the_overrides_of_a_trial_compose_to_its_settings(
    hydra_composes: Callable, line: tuple[str, ...]
) -> None:
    grid = check_command_line(parse_arguments(["--multirun", *line]))
    trial = grid.trials[-1]
    whole: Any = OmegaConf.to_container(hydra_composes(*trial.overrides), resolve=True)
    assert validate(whole) == trial.settings
    assert not [override for override in trial.overrides if "hydra" in override]


def test_a_thousand_trials_are_a_thousand_runs_and_composed_once(
    grid_of: GridOf, composer: RecordingComposer
) -> None:
    grid = grid_of("model.width=range(1,11)", "seed=range(0,10)", "trainer.epochs=range(1,11)")
    found = {(s.seed, s.model.width, s.trainer.epochs) for s in grid.settings}
    assert found == set(product(range(10), range(1, 11), range(1, 11)))
    assert len({run_id(settings) for settings in grid.settings}) == 1000
    assert composer.composed == [()]


def test_each_combination_of_options_is_composed_once(
    grid_of: GridOf, composer: RecordingComposer
) -> None:
    options = [("model=tiny", "model=wide"), ("scheduler=step", "scheduler=cosine")]
    grid_of(
        "model=tiny,wide",
        "seed=0,1",
        "scheduler=step,cosine",
        "model.width=1,2,3",
        "trainer.epochs=1,2,3",
    )
    assert Counter(composer.composed) == Counter([(), *product(*options)])


def test_a_grid_of_one_trial_sweeps_nothing(grid_of: GridOf) -> None:
    grid = grid_of("model.width=8")
    assert (len(grid.trials), list(grid.keys), grid.is_sweep, grid.option) == (1, [], True, None)
    assert dict(grid.trials[0].values) == {}


def test_the_last_list_of_a_key_wins(grid_of: GridOf) -> None:
    grid = grid_of("seed=0,1,2", "model.width=8,16", "seed=7,8")
    assert [s.seed for s in grid.settings] == [7, 7, 8, 8]
    grid = grid_of("model.width=8,16", "model.width=4")
    assert [s.model.width for s in grid.settings] == [4]
    assert list(grid.keys) == []


def test_equal_values_are_separate_trials(grid_of: GridOf) -> None:
    assert [s.optimizer.lr for s in grid_of("optimizer.lr=0.1,1e-1").settings] == [0.1, 0.1]


def test_fixed_settings_are_those_that_differ_from_the_defaults(grid_of: GridOf) -> None:
    assert grid_of("model.width=8,16", "seed=0", "trainer.epochs=20", "model=base").fixed == {}
    grid = grid_of("model.width=8,16", "model.dropout=0.25", "trainer.epochs=20", "seed=3")
    assert grid.fixed == {"model.dropout": 0.25, "seed": 3}


def test_settings_that_do_not_identify_a_run_are_not_fixed(grid_of: GridOf) -> None:
    words = ["rerun=true", "keep=all", "plan=true", "retry_failed=false", "data.root=x"]
    words += ["trainer.threads=1", "trainer.progress=none", "hydra.launcher.n_jobs=1"]
    assert grid_of("seed=0,1", *words).fixed == {}


def test_an_option_is_fixed_by_its_settings(grid_of: GridOf, conf: Path) -> None:
    def of_file(name: str) -> dict[str, Any]:
        return yaml.safe_load((conf / f"{name}.yaml").read_text())

    assert grid_of("seed=0,1", "model=deep").fixed == {
        "model.depth": of_file("model/deep")["depth"]
    }
    assert grid_of("model=tiny,deep", "augmentation=standard").fixed == {}
    fixed = grid_of("seed=0,1", "scheduler=plateau").fixed
    assert fixed == {f"scheduler.{k}": v for k, v in of_file("scheduler/plateau").items()}
