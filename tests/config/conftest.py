"""Settings as plain values, composed by Hydra's public interface and not by our composer."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.errors import UserError

CONF = Path(__file__).resolve().parents[2] / "conf"
NAN: Mapping[str, Any] = {}


@cache
def composed(overrides: tuple[str, ...]) -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose("config", list(overrides)), resolve=True)


@pytest.fixture(autouse=True)
def _no_data_folder_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CIFAR_EXP_DATA", raising=False)


@pytest.fixture
def conf() -> Path:
    """The folder of the configuration groups."""
    return CONF


@pytest.fixture
def tree() -> Callable[..., dict[str, Any]]:
    """`tree({"model.width": 3}, "model=tiny")`: the composed values with dotted keys changed."""

    def make(changes: Mapping[str, Any] = NAN, *overrides: str) -> dict[str, Any]:
        values = deepcopy(composed(overrides))
        for key, value in changes.items():
            *groups, name = key.split(".")
            place = values
            for group in groups:
                place = place[group]
            place[name] = value
        return values

    return make


@pytest.fixture
def settings(tree: Callable[..., dict[str, Any]]) -> Callable[..., Settings]:
    """As `tree`, checked."""
    return lambda *arguments: validate(tree(*arguments))


@pytest.fixture
def mistakes(tree: Callable[..., dict[str, Any]]) -> Callable[..., list[str]]:
    """As `tree`, with the messages of the check; fails if there are none."""

    def messages(*arguments: Any) -> list[str]:
        with pytest.raises(UserError) as caught:
            validate(tree(*arguments))
        return caught.value.messages

    return messages
