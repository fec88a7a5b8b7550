"""The settings under `hydra`: the launcher and the sweeper, and whether this is a sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar_exp.config.launcher import TARGET, LocalOptions, check_launcher, local_options
from cifar_exp.hydra_app.overrides import OverrideValue
from cifar_exp.hydra_app.validation import OverrideValidator, compose_error
from cifar_exp.text import did_you_mean

SWEEPER = "hydra_plugins.cifar_exp_plugins.sweeper.GridSweeper"
CHECKED = ("launcher", "sweeper")


@dataclass(frozen=True)
class HydraSection:
    """Plain values of `hydra.launcher` and `hydra.sweeper`; whether `hydra.mode` makes a sweep."""

    launcher: Mapping[str, Any] = field(default_factory=dict)
    sweeper: Mapping[str, Any] = field(default_factory=dict)
    is_multirun: bool = False

    @property
    def local(self) -> LocalOptions | None:
        """The local launcher's options; None for one of Hydra's launchers."""
        return local_options(self.launcher) if self.launcher.get("_target_") == TARGET else None

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
    launcher, sweeper = (_plain(validator, hydra, name) for name in CHECKED)
    validator.errors += check_launcher(launcher)
    if sweeper.get("_target_") == SWEEPER:
        validator.errors += _unknown_keys("sweeper", sweeper, ("params", "paired"))
    return HydraSection(launcher, sweeper, str(hydra.get("mode")).endswith("MULTIRUN"))


def without_unknown_keys(
    validator: OverrideValidator, shared: Sequence[OverrideValue]
) -> list[OverrideValue]:
    """`shared` without keys that the launcher or the sweeper lacks: Hydra's own sentence on them
    names no valid key."""
    typed = [v for v in shared if v.key.startswith(tuple(f"hydra.{name}" for name in CHECKED))]
    groups = [v.text for v in shared if "/" in v.key or v.key == "sweep"]
    composed = validator.composed(groups) if typed else None
    if composed is None:
        return list(shared)
    errors = {v.line: error for v in typed if (error := _key_error(v, composed.config.hydra))}
    validator.errors += errors.values()
    return [value for value in shared if value.line not in errors]


def _key_error(value: OverrideValue, hydra: DictConfig) -> str | None:
    section, _, key = value.key.removeprefix("hydra.").partition(".")
    keys = [name for name in map(str, hydra.get(section) or {}) if name != "_target_"]
    if section not in CHECKED:
        return f"{value.key}: no such setting{did_you_mean(section, CHECKED)}"
    if not key or key == "_target_":
        return f"{value.line}: choose a {section} by hydra/{section}=NAME"
    if key.partition(".")[0] not in keys:
        return _unknown_key(section, key, keys)
    return None


def _unknown_keys(section: str, values: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    return [_unknown_key(section, key, keys) for key in values if key not in (*keys, "_target_")]


def _unknown_key(section: str, key: str, keys: Sequence[str]) -> str:
    near = did_you_mean(key, keys) or f"; there are {', '.join(keys)}"
    return f"hydra.{section}.{key}: no such setting{near}"


def _plain(validator: OverrideValidator, hydra: DictConfig, name: str) -> Mapping[str, Any]:
    """A section as plain values; empty, with an error noted, where it cannot be resolved."""
    section = hydra.get(name)
    try:
        tree = {} if section is None else OmegaConf.to_container(section, resolve=True)
    except Exception as error:  # omegaconf wraps whatever a resolver raised
        validator.errors.append(f"hydra.{name}: {compose_error(error)}")
        return {}
    if not isinstance(tree, dict):
        validator.errors.append(f"hydra.{name}={tree}: must be a group of settings")
        return {}
    return {str(key): value for key, value in tree.items()}
