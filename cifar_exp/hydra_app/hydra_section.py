"""The settings under `hydra`: the launcher and the sweeper, and whether this is a sweep."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cifar_exp.config.launcher import LauncherOptions, launcher_options
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.compose import resolved
from cifar_exp.hydra_app.overrides import OverrideValue
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.text import did_you_mean, format_value

SWEEPER = "hydra_plugins.cifar_exp_plugins.sweeper.GridSweeper"
SEARCHPATH = "hydra.searchpath"  # Hydra checks it: without it, no option may be found
PLUGINS = ("launcher", "sweeper")  # each is chosen by hydra/launcher=NAME


@dataclass(frozen=True)
class HydraSection:
    """Plain values of `hydra.launcher` and `hydra.sweeper`; whether `hydra.mode` makes a sweep.

    `options` are those of a launcher of our own; None for one of Hydra's.
    """

    launcher: Mapping[str, Any] = field(default_factory=dict)
    sweeper: Mapping[str, Any] = field(default_factory=dict)
    is_multirun: bool = False
    options: LauncherOptions | None = None

    @property
    def has_foreign_sweeper(self) -> bool:
        """Whether one of Hydra's own sweepers is chosen."""
        return self.sweeper.get("_target_") != SWEEPER


def read_hydra_section(
    validator: OverrideValidator, shared: Sequence[OverrideValue]
) -> HydraSection:
    """Compose `shared` and take the section; mistakes are added to the validator's errors."""
    composed = validator.composed([value.text for value in shared])
    if composed is None:
        return HydraSection()
    hydra = composed.config.hydra
    launcher, sweeper = (_plain(validator, hydra, name) for name in PLUGINS)
    options = None
    try:
        options = launcher_options(launcher)
    except UserError as error:
        validator.errors += error.messages
    if sweeper.get("_target_") == SWEEPER:
        validator.errors += _unknown_keys("sweeper", sweeper, ("params", "paired"))
    is_multirun = str(hydra.get("mode")).endswith("MULTIRUN")
    return HydraSection(launcher, sweeper, is_multirun, options)


def with_valid_keys(
    validator: OverrideValidator, shared: Sequence[OverrideValue], dropped: Iterable[str]
) -> list[OverrideValue]:
    """`shared` without values of Hydra's settings that do not exist or do not take them.

    Hydra's own sentence on them names no valid key. `dropped` are groups whose option does not
    exist: nothing is known of their keys.
    """
    unknown = tuple(group.replace("/", ".") + "." for group in dropped)
    shared = [value for value in shared if not (unknown and value.key.startswith(unknown))]
    typed = [
        value for value in shared if value.key.startswith("hydra.") and value.key != SEARCHPATH
    ]
    options = [value.text for value in shared if value not in typed]
    composed = validator.composed(options) if typed else None
    if composed is None:
        return shared
    errors = {v.line: error for v in typed if (error := _error(v, composed.config.hydra))}
    validator.errors += errors.values()
    return [value for value in shared if value.line not in errors]


def _error(value: OverrideValue, hydra: DictConfig) -> str | None:
    section, _, key = value.key.removeprefix("hydra.").partition(".")
    if section in PLUGINS and key in ("", "_target_"):
        return f"{value.shown}: choose a {section} by hydra/{section}=NAME"
    return _missing_key(section, key, hydra) or _refused(value, hydra)


def _missing_key(section: str, key: str, hydra: DictConfig) -> str | None:
    node: Any = hydra
    path = [section, *key.split(".")] if key else [section]
    for depth, part in enumerate(path):
        keys = [name for name in map(str, node) if name != "_target_"]
        if not keys:  # as hydra.job.env_set, which takes any name
            break
        if part not in keys:
            return _unknown_key(".".join(["hydra", *path[:depth]]), part, keys)
        node = node[part] if not OmegaConf.is_missing(node, part) else None
        if not isinstance(node, DictConfig):
            break
    return None


def _refused(value: OverrideValue, hydra: DictConfig) -> str | None:
    """Hydra's reason why the setting cannot have this value."""
    copy = hydra.copy()
    try:
        OmegaConf.update(copy, value.key.removeprefix("hydra."), value.value, force_add=True)
    except OmegaConfBaseException as error:
        return f"{value.shown}: {str(error).partition(chr(10))[0]}"
    return None


def _unknown_keys(section: str, values: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    unknown = [key for key in values if key not in (*keys, "_target_")]
    return [_unknown_key(f"hydra.{section}", key, keys) for key in unknown]


def _unknown_key(section: str, key: str, keys: Sequence[str]) -> str:
    near = did_you_mean(key, keys) or f"; there are {', '.join(keys)}"
    return f"{section}.{format_value(key)}: no such setting{near}"


def _plain(validator: OverrideValidator, hydra: DictConfig, name: str) -> Mapping[str, Any]:
    """A section as plain values; empty, with an error noted, if it cannot be resolved."""
    section = hydra.get(name)
    if section is None:
        return {}
    if not isinstance(section, DictConfig):
        shown = format_value(
            OmegaConf.to_container(section) if OmegaConf.is_config(section) else section
        )
        validator.errors.append(f"hydra.{name}={shown}: must be a group of settings")
        return {}
    try:
        return resolved(section)
    except UserError as error:
        validator.errors += error.messages
        return {}
