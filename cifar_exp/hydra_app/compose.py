"""Compose the settings from conf/, as Hydra's own main would, but any number of times."""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

import cifar_exp
from cifar_exp.errors import UserError

CONFIG_NAME = "config"

# What a file of the user's own, or an option of Hydra's, may make composing end in.
COMPOSING_FAILS = (
    HydraException,
    OmegaConfBaseException,
    UserError,
    yaml.YAMLError,
    ValueError,
    AssertionError,
)


def conf_folder() -> Path:
    """conf/: inside the package when installed, beside it in a copy of the sources."""
    package = Path(cifar_exp.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


class Composer:
    """Composes configs and knows the groups with their options."""

    def __init__(self, config_loader: ConfigLoader, config_name: str) -> None:
        self.config_loader, self._config_name = config_loader, config_name

    def groups(self) -> list[str]:
        """The groups that may be chosen from: `model`, `optimizer`, ..."""
        return sorted(g for g in self.config_loader.list_groups("") if g != "hydra")

    def options(self, group: str) -> list[str]:
        """The names of a group's options."""
        return sorted(self.config_loader.get_group_options(group, ObjectType.CONFIG))

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The config of these overrides, open to new keys. Raises Hydra's errors."""
        config = self.config_loader.load_configuration(
            config_name=self._config_name,
            overrides=list(overrides),
            run_mode=RunMode.RUN,
            from_shell=False,
        )
        OmegaConf.set_struct(config, False)
        return config


@contextmanager
def open_composer(arguments: argparse.Namespace) -> Iterator[Composer]:
    """A composer for the options --config-path, --config-dir and --config-name."""
    version.setbase("1.3")
    search_path = create_config_search_path(arguments.config_path or str(conf_folder()))
    if arguments.config_dir is not None:
        folder = os.path.abspath(arguments.config_dir)
        if not arguments.config_dir or not os.path.isdir(folder):
            raise UserError(f"--config-dir={arguments.config_dir}: there is no such folder")
        search_path.prepend(
            provider="command-line",
            path=f"file://{folder}",
            anchor=SearchPathQuery(provider="schema"),
        )
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2("train", search_path)
    try:
        yield Composer(hydra.config_loader, arguments.config_name or CONFIG_NAME)
    finally:
        GlobalHydra.instance().clear()


def settings_tree(config: DictConfig) -> dict[str, Any]:
    """The settings of a composed config as plain values, interpolations resolved.

    Raises UserError where one of them leads nowhere.
    """
    own = config.copy()
    with open_dict(own):
        own.pop("hydra", None)
    try:
        tree = OmegaConf.to_container(own, resolve=True)
    except Exception as error:  # omegaconf wraps whatever a resolver raised
        key = getattr(error, "full_key", None)
        reason = str(error).partition("\n")[0]
        raise UserError(f"{key}: {reason}" if key else reason) from error
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}
