"""Compose the settings from conf/, as Hydra's own main does, but any number of times.

Composing through Hydra takes 50 ms. It is needed once for each combination of options; the other
values of a trial are applied to the composed config, in under 1 ms.
"""

import argparse
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

import cifar_exp
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.yaml_check import checked_sources
from cifar_exp.text import format_value

CONFIG_NAME = "config"
ENVIRONMENT = re.compile(r"\$\{oc\.env:[^${}]*\}")  # means the same whatever the settings are

# What composing may raise because of a user's YAML file or an option of Hydra.
COMPOSE_ERRORS = (
    HydraException,
    OmegaConfBaseException,
    UserError,
    yaml.YAMLError,
    ValueError,
    TypeError,
    AssertionError,
    RecursionError,
    OSError,
    UserWarning,
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
        """The groups that have options: `model`, `optimizer`, ..."""
        return sorted(g for g in self.config_loader.list_groups("") if g != "hydra")

    def options(self, group: str) -> list[str]:
        """The names of a group's options; none if there is no such group."""
        try:
            return sorted(self.config_loader.get_group_options(group, ObjectType.CONFIG))
        except OSError:  # the name of a group is too long for a folder
            return []

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The config of these overrides, open to new keys. Raises one of COMPOSE_ERRORS."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a folder of hydra.searchpath is missing
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
    """A composer for the options --config-path, --config-dir and --config-name.

    Raises UserError if what they name does not exist.
    """
    version.setbase("1.3")
    conf = arguments.config_path or str(conf_folder())
    if arguments.config_path and "://" not in conf:
        conf = _folder("--config-path", conf)
    search_path = create_config_search_path(conf)
    if arguments.config_dir is not None:
        search_path.prepend(
            provider="command-line",
            path=f"file://{_folder('--config-dir', arguments.config_dir)}",
            anchor=SearchPathQuery(provider="schema"),
        )
    name = arguments.config_name or CONFIG_NAME
    GlobalHydra.instance().clear()
    try:
        with checked_sources():
            loader = Hydra.create_main_hydra2("train", search_path).config_loader
            if name not in loader.get_group_options("", ObjectType.CONFIG):
                shown = format_value(name)
                raise UserError(f"--config-name={shown}: there is no {shown}.yaml in {conf}")
            yield Composer(loader, name)
    finally:
        GlobalHydra.instance().clear()


def _folder(option: str, name: str) -> str:
    if not name or not os.path.isdir(name):
        raise UserError(f"{option}={format_value(name)}: there is no such folder")
    return os.path.abspath(name)


def settings_tree(config: DictConfig) -> dict[str, Any]:
    """The settings of a composed config as plain values, interpolations resolved.

    Raises UserError if an interpolation cannot be resolved or a mandatory value is missing.
    """
    return resolved(_without_hydra(config))


def resolved(config: DictConfig) -> dict[str, Any]:
    """The config as plain values. Raises UserError as `settings_tree` does."""
    try:
        tree = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise UserError(f"{error.full_key}: must be set; a file holds ??? in its place") from error
    except Exception as error:  # omegaconf wraps whatever a resolver raised
        key = getattr(error, "full_key", None)
        reason = str(error).partition("\n")[0]
        raise UserError(f"{key}: {reason}" if key else reason) from error
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}


class ComposedConfig:
    """The config of a combination of options, to which values can be applied."""

    def __init__(self, config: DictConfig) -> None:
        """Raises UserError if an interpolation cannot be resolved."""
        self.config, self.tree = config, settings_tree(config)
        self.choices: Mapping[str, Any] = config.hydra.runtime.choices
        self.label = str(self.choices.get("model"))
        tree = OmegaConf.to_container(_without_hydra(config), resolve=False)
        self._is_plain = not _any_text(tree, lambda text: "${" in ENVIRONMENT.sub("", text))

    def updated(self, values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """The settings with these values by dotted key, as full composition gives them."""
        is_special = any(_needs_omegaconf(v) or _in_a_list(self.tree, key) for key, v in values)
        if self._is_plain and not is_special:
            tree = self.tree
            for key, value in values:
                tree = _with_value(tree, key.split("."), value)
            return tree
        config = self.config.copy()
        for key, value in values:
            OmegaConf.update(config, key, value, force_add=True, merge=True)
        return settings_tree(config)


def _without_hydra(config: DictConfig) -> DictConfig:
    own = config.copy()
    with open_dict(own):
        own.pop("hydra", None)
    return own


def _with_value(tree: Any, path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy of `tree` with `value` at `path`; what is not on the path is shared."""
    below = tree if isinstance(tree, dict) else {}
    name, *rest = path
    return {**below, name: _with_value(below.get(name), rest, value) if rest else value}


def _in_a_list(tree: Any, key: str) -> bool:
    """Whether the key leads into a list."""
    for part in key.split("."):
        if isinstance(tree, list):
            return True
        tree = tree.get(part) if isinstance(tree, dict) else None
    return False


def _needs_omegaconf(value: Any) -> bool:
    return isinstance(value, dict) or _any_text(value, lambda text: "${" in text)


def _any_text(value: Any, holds: Callable[[str], bool]) -> bool:
    """Whether `holds` is true of any string in a nested value."""
    if isinstance(value, Mapping):
        return any(_any_text(v, holds) for v in value.values())
    if isinstance(value, list):
        return any(_any_text(v, holds) for v in value)
    return isinstance(value, str) and holds(value)
