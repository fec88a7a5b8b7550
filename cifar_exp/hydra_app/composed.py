"""Values laid on a composed config: a trial costs a fraction of a millisecond, not 50.

Composing through Hydra is needed once for each combination of options; what else the trials differ
in are values of single settings.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from cifar_exp.hydra_app.compose import settings_tree

ENVIRONMENT = re.compile(r"\$\{oc\.env:[^${}]*\}")  # means the same whatever the settings are


class ComposedConfig:
    """The config of a combination of options, on which values can be laid."""

    def __init__(self, config: DictConfig) -> None:
        """Raises UserError where an interpolation leads nowhere."""
        self.config, self.tree = config, settings_tree(config)
        self.label = str(config.hydra.runtime.choices["model"])
        own = config.copy()
        with open_dict(own):
            own.pop("hydra", None)
        tree = OmegaConf.to_container(own, resolve=False)
        self._is_plain = not _any_text(tree, lambda text: "${" in ENVIRONMENT.sub("", text))

    def with_values(self, values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """The settings with these values by dotted key, as full composition gives them."""
        is_special = any(_needs_omegaconf(v) or _in_a_list(self.tree, key) for key, v in values)
        if self._is_plain and not is_special:
            tree = self.tree
            for key, value in values:
                tree = _laid(tree, key.split("."), value)
            return tree
        config = self.config.copy()
        for key, value in values:
            OmegaConf.update(config, key, value, force_add=True, merge=True)
        return settings_tree(config)


def _laid(tree: Any, path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy of `tree` with `value` at `path`; what is not on the path is shared."""
    below = tree if isinstance(tree, dict) else {}
    name, *rest = path
    return {**below, name: _laid(below.get(name), rest, value) if rest else value}


def _in_a_list(tree: Any, key: str) -> bool:
    """Whether a part of the key is a place in a list."""
    for part in key.split("."):
        if isinstance(tree, list):
            return True
        tree = tree.get(part) if isinstance(tree, dict) else None
    return False


def _needs_omegaconf(value: Any) -> bool:
    return isinstance(value, dict) or _any_text(value, lambda text: "${" in text)


def _any_text(value: Any, holds: Callable[[str], bool]) -> bool:
    """Whether `holds` of one of the texts in a nested value."""
    if isinstance(value, Mapping):
        return any(_any_text(v, holds) for v in value.values())
    if isinstance(value, list):
        return any(_any_text(v, holds) for v in value)
    return isinstance(value, str) and holds(value)
