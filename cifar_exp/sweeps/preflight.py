"""Find all of a user's mistakes in a command line before any work, and tell them at once.

Hydra stops at its first error; here every override is parsed alone, the valid groups are composed,
and the values are laid on the result for the schema to judge.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cifar_exp.config.checks import known_keys, unknown_key, validate
from cifar_exp.config.schema import Settings
from cifar_exp.config.suggestions import did_you_mean
from cifar_exp.errors import UserError
from cifar_exp.sweeps.composition import Composer, composer, settings_tree


def check_command_line(arguments: argparse.Namespace) -> list[Settings]:
    """The settings that the command line asks for, one of each value that it lists.

    Raises UserError with a sentence on every mistake.
    """
    with composer(arguments) as compose:
        return _Check(compose, arguments.multirun).run(arguments.overrides)


class _Check:
    def __init__(self, compose: Composer, is_multirun: bool) -> None:
        self.compose, self.is_multirun = compose, is_multirun
        self.groups = set(compose.groups())
        self.mistakes: list[str] = []

    def run(self, lines: Sequence[str]) -> list[Settings]:
        overrides = [o for line in lines if (o := self._parse(line)) is not None]
        choices = [o for o in overrides if self._is_choice(o)]
        values = [o for o in overrides if not self._is_choice(o)]
        chosen = [line for o in choices if (line := self._choose(o)) is not None]
        config = self._composed(chosen)
        tree = settings_tree(config)
        for override in values:
            self._lay(config, tree, override)
        settings = list(self._judge(config, values))
        if self.mistakes:
            raise UserError(list(dict.fromkeys(self.mistakes)))
        return settings

    def _parse(self, line: str) -> Override | None:
        try:
            override = OverridesParser.create().parse_override(line)
            override.config_loader = self.compose.config_loader  # globs ask it for the options
            return override
        except HydraException as error:
            self.mistakes.append(_syntax(line, error))
            return None

    def _is_choice(self, override: Override) -> bool:
        if override.is_hydra_override():
            return True
        return override.key_or_group in self.groups

    def _choose(self, override: Override) -> str | None:
        """The override to compose with, if it names options that exist."""
        if override.is_hydra_override() or override.is_delete():
            return override.input_line
        names = self._elements(override)
        if names is None:
            return None
        options = self.compose.options(override.key_or_group)
        for name in names:
            if name is not None and str(name) not in options:
                near = did_you_mean(str(name), options)
                self.mistakes.append(
                    f"{override.key_or_group}={name}: no such option; "
                    f"{override.key_or_group} may be {', '.join(options)}{near}"
                )
                return None
        return f"{override.get_key_element()}={_text(names[0])}"

    def _elements(self, override: Override) -> list[Any] | None:
        """The values of an override: one, or several in a sweep; None if it may not sweep."""
        if not override.is_sweep_override():
            return [override.value()]
        if not self.is_multirun:
            self.mistakes.append(
                f"{override.input_line}: several values make several runs; add --multirun"
            )
            return None
        return _values(override)

    def _composed(self, chosen: list[str]) -> DictConfig:
        try:
            return self.compose.compose(chosen)
        except (HydraException, OmegaConfBaseException) as error:
            reason = " ".join(str(error).split())
            raise UserError([*self.mistakes, reason]) from error

    def _lay(self, config: DictConfig, tree: dict[str, Any], override: Override) -> None:
        """Set an override's first value where its key is known."""
        key = override.key_or_group
        if override.package is not None or key in ("", None):
            self.mistakes.append(f"{override.input_line}: no such group")
        elif override.is_delete():
            self.mistakes.append(f"{override.input_line}: a setting cannot be taken away")
        elif not self._knows(tree, override):
            self.mistakes.append(self._unknown(key, tree))
        else:
            elements = self._elements(override)
            if elements:
                OmegaConf.update(config, key, elements[0], force_add=True, merge=False)

    def _knows(self, tree: dict[str, Any], override: Override) -> bool:
        key = override.key_or_group
        group = tree.get(key.partition(".")[0])
        if isinstance(group, dict) and "_target_" in group:
            # the user's own class has whatever settings its YAML gives; `+` gives it more
            return override.is_add() or override.is_force_add() or _has(tree, key)
        return key in known_keys(tree)

    def _unknown(self, key: str, tree: dict[str, Any]) -> str:
        if "." not in key:
            near = did_you_mean(key, [*self.groups, *known_keys(tree)])
            groups = ", ".join(sorted(self.groups))
            return f"{key}: no such setting or group{near or f'; the groups are {groups}'}"
        group = key.partition(".")[0]
        if group not in self.groups:
            near = did_you_mean(key, known_keys(tree)) or did_you_mean(group, self.groups)
            return f"{key}: no such setting{near}"
        return unknown_key(key, tree)

    def _judge(self, config: DictConfig, values: list[Override]) -> Iterator[Settings]:
        """The settings of the first values, and of each further value in its place."""
        yield from self._validated(config)
        for override in values:
            if override.is_sweep_override() and self.is_multirun and not override.is_delete():
                for value in _values(override)[1:]:
                    other = config.copy()
                    OmegaConf.update(other, override.key_or_group, value, force_add=True)
                    yield from self._validated(other)

    def _validated(self, config: DictConfig) -> Iterator[Settings]:
        try:
            yield validate(settings_tree(config))
        except UserError as error:
            self.mistakes += error.messages


def _values(override: Override) -> list[Any]:
    """What a sweep lists, without quotes."""
    return [Override._convert_value(element) for element in override.sweep_iterator()]


def _has(tree: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def _text(value: Any) -> str:
    return "null" if value is None else str(value)


def _syntax(line: str, error: HydraException) -> str:
    # antlr says where and what in its first line; the rest is advice for the shell
    reason = re.sub(r"\s+", " ", str(error).partition("\n")[0]).strip()
    if "=" not in line and not line.startswith("~"):
        return f"{line}: not of the form key=value"
    return f"{line}: broken syntax ({reason})"
