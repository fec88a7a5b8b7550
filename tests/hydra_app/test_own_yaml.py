from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from cifar_exp.config.validation import validate

ErrorsOf = Callable[..., list[str]]
NET = "_target_: mine.Net\nwidth: 3\nblock: {kind: a, sizes: [1, 2]}\n"


@pytest.fixture
def own(own_yaml: Callable) -> Path:
    return own_yaml(
        **{
            "model/mine": NET,
            "model/wider": "defaults: [base, _self_]\nwidth: 100\n",
            "scheduler/waves": "_target_: mine.Waves\nheight: 2\n",
            "optimizer/lion": "_target_: mine.Lion\nlr: 0.1\n",
            "experiment/quick": "# @package _global_\n"
            "defaults:\n  - override /model: mine\n"
            "trainer: {epochs: 2}\n",
        }
    )


def test_a_network_of_the_users_own_is_one_file(check: Callable, own: Path) -> None:
    (settings,) = check("--config-dir", str(own), "model=mine")
    assert settings.model.target == "mine.Net"
    assert settings.model.arguments == {"width": 3, "block": {"kind": "a", "sizes": [1, 2]}}


def test_every_group_that_accepts_classes_accepts_the_users(check: Callable, own: Path) -> None:
    line = ["model=mine", "optimizer=lion", "scheduler=waves"]
    (settings,) = check("--config-dir", str(own), *line)
    targets = [settings.model.target, settings.optimizer.target, settings.scheduler.target]
    assert targets == ["mine.Net", "mine.Lion", "mine.Waves"]


def test_a_key_of_the_users_file_can_be_set_and_a_new_one_added(check: Callable, own: Path) -> None:
    changes = ["model.width=4", "model.block.kind=b", "+model.depth=2", "+model.head.dropout=0.1"]
    (settings,) = check("--config-dir", str(own), "model=mine", *changes)
    assert settings.model.arguments == {
        "width": 4,
        "block": {"kind": "b", "sizes": [1, 2]},
        "depth": 2,
        "head": {"dropout": 0.1},
    }


def test_a_key_that_the_users_file_lacks_is_a_mistake(errors_of: ErrorsOf, own: Path) -> None:
    found = errors_of("--config-dir", str(own), "model=mine", "model.wdth=4", "model.block.knd=b")
    assert [sentence.partition(":")[0] for sentence in found] == ["model.wdth", "model.block.knd"]
    assert all(": no such setting" in sentence for sentence in found)


NOT_IN_THE_FILE = {
    "optimizer.lrr=0.001": (
        "optimizer.lrr: no such setting; did you mean optimizer.lr? "
        "To pass another argument, write +optimizer.lrr=0.001"
    ),
    "optimizer.beta1=0.8": (
        "optimizer.beta1: no such setting; optimizer has lr; "
        "to pass another argument, write +optimizer.beta1=0.8"
    ),
    "model.block.knd=b": (
        "model.block.knd: no such setting; did you mean model.block.kind? "
        "To pass another argument, write +model.block.knd=b"
    ),
    "scheduler.hieght=2": (
        "scheduler.hieght: no such setting; did you mean scheduler.height? "
        "To pass another argument, write +scheduler.hieght=2"
    ),
    "augmentation.zzzz=2": (
        "augmentation.zzzz: no such setting; augmentation has flip, crop_padding, cutout, jitter, "
        "mixup, cutmix"
    ),
}


@pytest.mark.parametrize(("override", "sentence"), NOT_IN_THE_FILE.items(), ids=NOT_IN_THE_FILE)
def test_a_mistyped_argument_shows_the_files_names_and_how_to_pass_another(
    errors_of: ErrorsOf, own: Path, override: str, sentence: str
) -> None:
    line = ["model=mine", "optimizer=lion", "scheduler=waves"]
    assert errors_of("--config-dir", str(own), *line, override) == [sentence]


def test_a_bare_name_finds_the_setting_of_the_users_file(errors_of: ErrorsOf, own: Path) -> None:
    assert errors_of("--config-dir", str(own), "scheduler=waves", "height=3") == [
        "height: no such setting or group; did you mean scheduler.height?"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        ("model=mine", "model.width=4", "+model.depth=2"),
        ("model=wider", "model.depth=3"),
        ("experiment=quick", "model.block.kind=c"),
        ("experiment=quick", "model=wide", "scheduler=waves", "scheduler.height=7"),
    ],
    ids=" ".join,
)
def test_the_users_files_compose_as_hydra_composes_them(
    check: Callable, hydra_composes: Callable, own: Path, line: tuple[str, ...]
) -> None:
    whole: Any = OmegaConf.to_container(hydra_composes(*line, own=own), resolve=True)
    assert check("--config-dir", str(own), *line) == [validate(whole)]


def test_an_option_of_the_users_is_suggested_for_a_mistyped_one(
    errors_of: ErrorsOf, own: Path
) -> None:
    (sentence,) = errors_of("--config-dir", str(own), "model=mien")
    assert sentence.endswith("; did you mean mine?")


def test_without_its_folder_the_users_option_is_unknown(errors_of: ErrorsOf) -> None:
    (sentence,) = errors_of("model=mine")
    assert sentence.startswith("model=mine: no such option; model may be base, ")


def test_mistakes_in_the_users_file_are_reported_with_those_of_the_command(
    errors_of: ErrorsOf, own_yaml: Callable
) -> None:
    text = "defaults: [base, _self_]\nwidht: 3\ndropout: 1\n"
    folder = own_yaml(**{"model/typo": text})
    found = errors_of("--config-dir", str(folder), "model=typo", "seed=-1", "optimiser=adam")
    assert sorted(found) == [
        "model.dropout=1: must be a number in [0, 1)",
        "model.widht: no such setting; did you mean model.width?",
        "optimiser: no such setting or group; did you mean optimizer?",
        "seed=-1: must be an integer in [0, 4294967296)",
    ]


def test_a_default_that_does_not_exist_is_reported_with_its_file(
    errors_of: ErrorsOf, own_yaml: Callable
) -> None:
    folder = own_yaml(**{"model/lost": "defaults: [none_such, _self_]\n"})
    (sentence,) = errors_of("--config-dir", str(folder), "model=lost")
    assert "model/lost" in sentence
    assert "model/none_such" in sentence
    assert "\n" not in sentence
