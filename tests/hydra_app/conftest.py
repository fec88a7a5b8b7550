"""Command lines, checked in an empty folder that must stay empty."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from cifar_exp.config.schema import Settings
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.fixture(autouse=True)
def _empty_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("cwd")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CIFAR_EXP_DATA", raising=False)
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture
def conf() -> Path:
    """The folder of all YAML files."""
    return CONF


@pytest.fixture
def check() -> Callable[..., list[Settings]]:
    """The settings of each trial of a command line."""
    return lambda *line: check_command_line(parse_arguments(line)).settings


@pytest.fixture
def errors_of(check: Callable[..., list[Settings]]) -> Callable[..., list[str]]:
    """The sentences on the mistakes in a command line; the test fails if there are none."""

    def run(*line: str) -> list[str]:
        with pytest.raises(UserError) as caught:
            check(*line)
        return caught.value.messages

    return run


@pytest.fixture
def hydra_composes() -> Callable[..., DictConfig]:
    """The whole composition by Hydra's public interface, which shares no code with ours."""

    def composed(*overrides: str, own: Path | None = None) -> Any:
        more = [f"hydra.searchpath=[file://{own}]"] if own else []
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("config", [*overrides, *more])

    return composed


@pytest.fixture
def own_yaml(tmp_path: Path) -> Callable[..., Path]:
    """Writes the user's YAML files and returns their folder: `own_yaml(**{"model/x": ...})`."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / "own" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "own"

    return write
