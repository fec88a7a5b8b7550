"""Run ids of version 0.1 (cifar10: of 0.2): the runs in users' outputs are found by them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.identity import run_id
from cifar_exp.config.schema import COMMAND_GROUPS

CONF = Path(__file__).resolve().parents[2] / "conf"
FINGERPRINT = "0123456789abcdef" * 4

# Change only with NUMERICS, or where the option itself is changed.
OPTIONS = {
    "augmentation=flip": "60bf336ed4",
    "augmentation=none": "1f8ba1e6fd",
    "augmentation=standard": "7f3eb36c11",
    "augmentation=strong": "c3cd039227",
    "data=cifar10": "4aff18747c",
    "data=cifar100": "7f3eb36c11",
    "data=folder": "9d9112433c",
    "data=shapes": "5540eedefe",
    "experiment=notebook": "cea660f1b7",
    "experiment=quickstart": "ffe6375ff4",
    "model=base": "7f3eb36c11",
    "model=deep": "9b05ab0a48",
    "model=notebook": "5ff02046d6",
    "model=resnet18": "703a8819a1",
    "model=tiny": "00800c996b",
    "model=wide": "6ce15d2793",
    "optimizer=adam": "f61219c79a",
    "optimizer=adamw": "e84d3d04fb",
    "optimizer=muon": "771251b3d8",
    "optimizer=sgd": "7f3eb36c11",
    "scheduler=constant": "84389c55df",
    "scheduler=cosine": "e9d449be49",
    "scheduler=one_cycle": "7f3eb36c11",
    "scheduler=plateau": "697a19f689",
    "scheduler=step": "84ef174eaf",
    "sweep=optimizers": "f4594ff5d1",
    "sweep=quickstart": "817dd57f48",
    "sweep=search_recipe": "8868e1fcf5",
    "sweep=seeds": "7f3eb36c11",
    "sweep=width_dropout": "5857204a59",
    "trainer=default": "7f3eb36c11",
}
DECAY = {"_target_": "torch.optim.lr_scheduler.ExponentialLR", "gamma": 0.9}
CONFIRM = {"sweep": "outputs/sweeps/mine", "top": 1, "seeds": 2, "baseline": "width=16"}
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "initial weights of another run": ({"init_from": "12e4567890"}, "481b2c149d"),
    "an installed optimizer": (
        {"optimizer": {"_target_": "torch.optim.RMSprop", "lr": 0.01, "alpha": 0.9}},
        "b3d632d099",
    ),
    "an installed scheduler": ({"scheduler": DECAY}, "a7bd1e9716"),
    "its other interval": ({"scheduler": {**DECAY, "interval": "step"}}, "4e4e25fc3f"),
    "values where null is the default": (
        {
            "trainer.gradient_clip": 1.0,
            "data.limit_train": 1000,
            "data.limit_test": 500,
            "seed": 2**32 - 1,
        },
        "08144eb670",
    ),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_the_id_of_an_option_never_changes(settings: Callable, option: str) -> None:
    fingerprint = FINGERPRINT if option == "data=folder" else None
    assert run_id(settings({}, option), fingerprint) == OPTIONS[option]


def test_every_option_is_frozen() -> None:
    options = {
        f"{path.parent.name}={path.stem}"
        for path in CONF.glob("*/*.yaml")
        if path.parent.name not in ("hydra", *COMMAND_GROUPS)
    }
    assert options == set(OPTIONS)


@pytest.mark.parametrize("name", CHANGES)
def test_the_id_of_a_change_never_changes(settings: Callable, name: str) -> None:
    changes, frozen = CHANGES[name]
    assert run_id(settings(changes)) == frozen


WORDS: list[dict[str, Any]] = [
    {f"confirm.{name}": value for name, value in CONFIRM.items()},
    {"search.name": "tpe", "search.runs": 40, "pruning.name": "asha", "pruning.grace": 2},
    {"sweep_name": "mine", "retries": 2, "max_failures": 3, "on_end": "true", "wait": False},
]


@pytest.mark.parametrize("words", WORDS)
def test_words_of_the_command_are_no_part_of_an_id(
    settings: Callable, words: dict[str, Any]
) -> None:
    assert run_id(settings(words)) == OPTIONS["model=base"]


def test_initial_weights_and_images_both_count(settings: Callable) -> None:
    composed = settings({"init_from": "12e4567890"}, "data=folder")
    assert run_id(composed, FINGERPRINT) == "6374870678"
