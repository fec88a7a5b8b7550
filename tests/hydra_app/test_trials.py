from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from cifar_exp.config.schema import AdamSection, PlateauSection, SGDSection
from cifar_exp.config.validation import validate

ErrorsOf = Callable[..., list[str]]

# One mistake of each kind, with the whole sentence on it.
MISTAKES = {
    "optimiser=adam": "optimiser: no such setting or group; did you mean optimizer?",
    "optimiser.lr=3": "optimiser.lr: no such setting or group; did you mean optimizer.lr?",
    "model.widht=3": "model.widht: no such setting; did you mean model.width?",
    "epochs=3": "epochs: no such setting or group; did you mean trainer.epochs?",
    "lr=0.1": "lr: no such setting or group; did you mean optimizer.lr?",
    "ema=0.9": "ema: no such setting or group; did you mean trainer.ema?",
    "flip=none": "flip: no such setting or group; did you mean augmentation.flip?",
    "x.stem=none": "x.stem: no such setting or group; did you mean model.stem?",
    "model.warmup=0.1": "model.warmup: no such setting; did you mean scheduler.warmup?",
    "factor=0.1": (
        "factor: no such setting or group; scheduler.factor is a setting of step and plateau"
    ),
    "n_jobs=2": "n_jobs: no such setting or group; did you mean hydra.launcher.n_jobs?",
    "data.download=-0": "data.download=0: must be true or false",
    "seed=-1": "seed=-1: must be an integer in [0, 4294967296)",
    "keep=al": "keep=al: must be one of weights, all, none; did you mean all?",
    "trainer.epochs=": "trainer.epochs=: must be an integer in [1, 1000000]",
    "trainer.batch_size=2.5": "trainer.batch_size=2.5: must be an integer in [1, 1000000000]",
    "optimizer.lr=true": "optimizer.lr=true: must be a number > 0",
    "data.root=null": "data.root=null: must be a non-empty string",
    "model.depth={a:1}": 'model.depth={"a": 1}: must be an integer in [1, 64]',
    "data.split_seed='0,1'": "data.split_seed=0,1: must be an integer in [0, 4294967296)",
    "model.width=1,2": "model.width=1,2: several values make several runs; add --multirun",
    "~model.stem": "~model.stem: a setting cannot be removed",
    "rerun": "rerun: not of the form key=value",
}
# The wording of the rest is the parser's, or may get better.
BEGINNINGS = {
    "seed==3": "seed==3: ",
    "data.root=x=y": "data.root=x=y: ",
    "trainer.resolution_scales=[0.5": "trainer.resolution_scales=[0.5: ",
    "mödel=base": "mödel=base: ",
    "x=1": "x: no such setting",
    "+y=1": "y: no such setting",
    "++x.y=1": "x.y: no such setting",
    "+model.new=1": "model.new: no such setting",
    "model.width.x=1": "model.width.x: no such setting",
    "trainer.epochs=nan": "trainer.epochs=",
    "optimizer.lr=inf": "optimizer.lr=",
    "optimizer.momentum=1e-400x": "optimizer.momentum=1e-400x: ",
    "trainer.device=gpu": "trainer.device=gpu: must be ",
    "init_from=abc": "init_from=abc: must be ",
    "model=[base,wide]": "model=",
    "data=": "data=: no such option",
    "scheduler={a:1}": "scheduler=",
}
# Mistakes that stop the composition: nothing more is known of the line then.
ALONE = {
    "seed=${trainer.nowhere}": "seed: ",
    "seed=${oc.env:NO_SUCH_VARIABLE_HERE}": "seed: ",
    "seed=${seed}": "seed: ",
    "model@model=wide": "",
    "hydra.no_such_key=1": "",
    "hydra/launcher=none_such": "",
}


def test_every_mistake_in_a_command_line_is_reported_in_a_sentence(errors_of: ErrorsOf) -> None:
    assert sorted(errors_of(*MISTAKES)) == sorted(MISTAKES.values())


def test_each_odd_override_is_reported_in_a_sentence(errors_of: ErrorsOf) -> None:
    found = errors_of(*BEGINNINGS)
    assert not [line for line in found if "\n" in line]
    for override, beginning in BEGINNINGS.items():
        assert [line for line in found if line.startswith(beginning)], override
    assert len(found) == len(BEGINNINGS)


@pytest.mark.parametrize("override", ALONE)
def test_a_config_that_cannot_be_composed_is_a_mistake(errors_of: ErrorsOf, override: str) -> None:
    (sentence,) = errors_of(override)
    assert sentence.startswith(ALONE[override])
    name = override.partition("=")[0].rpartition("/")[2].rpartition(".")[2]
    assert name in sentence


def test_other_mistakes_are_reported_with_those_in_composing(errors_of: ErrorsOf) -> None:
    found = errors_of("rerun", "model=wdie", "hydra.no_such_key=1")
    assert found[0] == "rerun: not of the form key=value"
    assert "hydra.no_such_key" in found[1]
    assert found[2].startswith("model=wdie: no such option; ")


@pytest.mark.parametrize(
    ("typed", "near"),
    [("wdie", "; did you mean wide?"), ("wide.yaml", "; did you mean wide?"), ("zzzzzz", "")],
)
def test_all_options_are_listed_for_a_mistyped_one(
    errors_of: ErrorsOf, conf: Path, typed: str, near: str
) -> None:
    options = ", ".join(sorted(file.stem for file in (conf / "model").glob("*.yaml")))
    assert errors_of(f"model={typed}") == [
        f"model={typed}: no such option; model may be {options}{near}"
    ]


def test_a_mistake_made_twice_is_reported_once(errors_of: ErrorsOf) -> None:
    assert len(errors_of("seed=-1", "model.widht=3", "model.widht=4", "seed=-1")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        ("seed=7", "experiment=notebook", "trainer.epochs=3", "model=tiny", "model.width=9"),
        ("optimizer=adamw", "optimizer.lr=1e-2", "scheduler=step", "scheduler.milestones=[0.1]"),
        ("model=resnet18", "+model.norm={kind: batch, sizes: [1, 2]}", "++seed=3"),
        ("model.depth=5", "model.width=${model.depth}", "seed=${oc.env:NO_SUCH_VARIABLE,4}"),
        ("data.root='a b/ü=,'", "augmentation=strong", "trainer.threads=2"),
    ],
    ids=" ".join,
)
def test_the_settings_are_those_that_hydra_composes(
    check: Callable, hydra_composes: Callable, line: tuple[str, ...]
) -> None:
    whole: Any = OmegaConf.to_container(hydra_composes(*line), resolve=True)
    assert check(*line) == [validate(whole)]


def test_the_last_value_of_a_key_wins(check: Callable) -> None:
    (settings,) = check("seed=1", "model.width=3", "seed=2")
    assert (settings.seed, settings.model.width) == (2, 3)


def test_the_notebooks_recipe_is_plain_adam_for_fifty_epochs(check: Callable) -> None:
    (settings,) = check("experiment=notebook")
    assert isinstance(settings.optimizer, AdamSection)
    assert isinstance(settings.scheduler, PlateauSection)
    assert (settings.optimizer.name, settings.optimizer.lr) == ("adam", 1e-3)
    assert (settings.trainer.batch_size, settings.trainer.epochs) == (64, 50)
    assert settings.trainer.resolution_scales == settings.trainer.resolution_until == ()


def test_the_command_line_wins_over_an_experiment(check: Callable) -> None:
    (settings,) = check("optimizer=sgd", "experiment=notebook", "trainer.epochs=2")
    assert isinstance(settings.optimizer, SGDSection)
    assert (settings.trainer.epochs, settings.trainer.batch_size) == (2, 64)


def test_the_command_line_wins_over_the_data_folder_of_the_environment(
    check: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_EXP_DATA", "/from/environment")
    assert check()[0].data.root == "/from/environment"
    assert check("data.root=here")[0].data.root == "here"


def test_a_quoted_id_of_digits_stays_text(check: Callable) -> None:
    assert check("init_from='12e4567890'")[0].init_from == "12e4567890"
    assert check("init_from='0123456789'")[0].init_from == "0123456789"
