"""Find all of a user's mistakes in a command line before any work, and tell them at once.

Hydra stops at its first error; here every override is parsed alone, the valid groups are composed,
and the values are laid on the result for the schema to judge, cell by cell where there are many.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cifar_exp.config.checks import known_keys, show, unknown_key, validate
from cifar_exp.config.schema import Settings
from cifar_exp.config.suggestions import did_you_mean
from cifar_exp.errors import UserError
from cifar_exp.sweeps.composition import COMPOSING_FAILS, Composer, composer, settings_tree

ADD_MULTIRUN = "several values make several runs; add --multirun"


@dataclass(frozen=True)
class Asked:
    """An override with the values that it lists: one, or several in a sweep."""

    override: Override
    values: tuple[Any, ...]

    @property
    def key(self) -> str:
        """`optimizer`, or `optimizer.lr`."""
        return self.override.key_or_group

    @property
    def line(self) -> str:
        """As it was typed."""
        return str(self.override.input_line)


def check_command_line(arguments: argparse.Namespace) -> list[Settings]:
    """The settings of every cell that the command line asks for.

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
        asked = [found for line in lines if (found := self._parse(line)) is not None]
        choices = [a for a in asked if self._is_choice(a) and self._may_choose(a)]
        values = [a for a in asked if not self._is_choice(a)]
        cells: list[Settings] = []
        for chosen in itertools.product(*(a.values for a in choices)):
            cells += self._with_choices(choices, chosen, values)
        if self.mistakes:
            raise UserError(list(dict.fromkeys(self.mistakes)))
        return cells

    def _parse(self, line: str) -> Asked | None:
        try:
            override = OverridesParser.create().parse_override(line)
        except (HydraException, ValueError, RecursionError) as error:
            self.mistakes.append(_syntax(line, error))
            return None
        override.config_loader = self.compose.config_loader  # globs ask it for the options
        if not override.is_sweep_override():
            return Asked(override, (override.value(),))
        try:
            values = tuple(Override._convert_value(e) for e in override.sweep_iterator())
        except (HydraException, ValueError) as error:
            self.mistakes.append(f"{line}: {str(error).partition(chr(10))[0]}")
            return None
        if not values:
            self.mistakes.append(f"{line}: lists no value")
            return None
        return Asked(override, values)

    def _is_choice(self, asked: Asked) -> bool:
        return asked.override.is_hydra_override() or asked.key in self.groups

    def _may_choose(self, asked: Asked) -> bool:
        """Whether a choice can be composed: its options exist."""
        if asked.override.is_hydra_override():
            return True
        if asked.override.is_delete():
            self.mistakes.append(f"{asked.line}: a group cannot be taken away")
            return False
        wrong = [m for value in asked.values if (m := self._wrong_option(asked.key, value))]
        self.mistakes += wrong
        return not wrong

    def _wrong_option(self, group: str, value: Any) -> str | None:
        *folders, name = show(value).split("/")
        options = self.compose.options("/".join([group, *folders]))
        if value is not None and name in options:
            return None
        near = did_you_mean(name, options)
        allows = f"{group} may be {', '.join(options)}"
        return f"{group}={show(value)}: no such option; {allows}{near}"

    def _with_choices(
        self, choices: list[Asked], chosen: Sequence[Any], values: list[Asked]
    ) -> Iterator[Settings]:
        """The cells that share these options."""
        lines = [
            a.line if a.override.is_hydra_override() else f"{a.override.get_key_element()}={value}"
            for a, value in zip(choices, chosen, strict=True)
        ]
        try:
            config = self.compose.compose(lines)
            tree = settings_tree(config)
        except COMPOSING_FAILS as error:
            self.mistakes.append(" ".join(str(error).split()))
            return
        known = [a for a in values if self._may_set(a, tree)]
        if not self._may_sweep(config, [*choices, *known]):
            known = [a for a in known if len(a.values) == 1]
        for cell in itertools.product(*(a.values for a in known)):
            yield from self._judge(config, known, cell)

    def _may_sweep(self, config: DictConfig, asked: list[Asked]) -> bool:
        # a file may ask for many runs as well as the option does
        if self.is_multirun or str(config.hydra.mode).endswith("MULTIRUN"):
            return True
        self.mistakes += [f"{a.line}: {ADD_MULTIRUN}" for a in asked if len(a.values) > 1]
        return False

    def _may_set(self, asked: Asked, tree: dict[str, Any]) -> bool:
        mistake = self._wrong_key(asked, tree)
        if mistake is not None:
            self.mistakes.append(mistake)
        return mistake is None

    def _wrong_key(self, asked: Asked, tree: dict[str, Any]) -> str | None:
        key, override = asked.key, asked.override
        group, _, name = key.partition(".")
        if override.package is not None:
            return f"{asked.line}: groups have no packages here"
        if override.is_delete():
            return f"{asked.line}: a setting cannot be taken away"
        if override.is_add() and _has(tree, key):
            return f"{asked.line}: {key} is there already; leave out the +"
        if group in self.groups and name == "name":
            return f"{asked.line}: is chosen by {group}={show(asked.values[0])}"
        if isinstance(tree.get(group), dict) and "_target_" in tree[group]:
            # the user's own class has whatever settings its YAML gives; `+` gives it more
            if override.is_add() or override.is_force_add() or _has(tree, key):
                return None
        elif name == "_target_":
            return f"{key}: a class of your own is an option of {group}, one YAML file (README)"
        elif key in known_keys(tree):
            return None
        return self._unknown(key, tree)

    def _unknown(self, key: str, tree: dict[str, Any]) -> str:
        group = key.partition(".")[0]
        if group in self.groups:
            return unknown_key(key, tree)
        near = did_you_mean(key, [*self.groups, *known_keys(tree)])
        near = near or did_you_mean(group, self.groups)
        groups = f"; the groups are {', '.join(sorted(self.groups))}"
        return f"{key}: no such setting or group{near or groups}"

    def _judge(
        self, config: DictConfig, asked: list[Asked], cell: Sequence[Any]
    ) -> Iterator[Settings]:
        own = config.copy() if asked else config
        try:
            for a, value in zip(asked, cell, strict=True):
                OmegaConf.update(own, a.key, value, force_add=True, merge=True)
            yield validate(settings_tree(own))
        except UserError as error:
            self.mistakes += error.messages
        except OmegaConfBaseException as error:
            self.mistakes.append(" ".join(str(error).split()))


def _has(tree: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def _syntax(line: str, error: Exception) -> str:
    if "=" not in line and not line.startswith("~"):
        return f"{show(line)}: not of the form key=value"
    # antlr says where and what in its first line; the rest is advice for another shell
    reason = " ".join(str(error).partition("\n")[0].split())
    key, _, value = line.partition("=")
    quoted = f"\"{key}='{show(value)}'\""
    advice = "" if value.startswith(("[", "{")) else f"; a text goes in quotes: {quoted}"
    return f"{show(line)}: broken syntax ({show(reason)}){advice}"
