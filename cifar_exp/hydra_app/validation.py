"""What is wrong with a choice: an option, a key, or a value; each told once."""

from collections.abc import Iterable, Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf.errors import OmegaConfBaseException

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import known_keys, unknown_key, validate
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.compose import COMPOSING_FAILS, Composer
from cifar_exp.hydra_app.composed import ComposedConfig
from cifar_exp.hydra_app.overrides import OverrideValue, ParsedOverride, parse
from cifar_exp.text import did_you_mean, format_value


class OverrideValidator:
    """Parses, composes and checks, and collects the mistakes on the way."""

    def __init__(self, compose: Composer) -> None:
        self.compose = compose
        self.groups = set(compose.groups())
        self.mistakes: list[str] = []
        self._composed: dict[tuple[str, ...], ComposedConfig | None] = {}
        self._may_set: dict[tuple[int, str], bool] = {}

    def raise_mistakes(self) -> None:
        """Raise UserError if there were any."""
        if self.mistakes:
            raise UserError(list(dict.fromkeys(self.mistakes)))

    def parsed(self, lines: Iterable[str]) -> list[ParsedOverride]:
        """The overrides that can be read."""
        found = []
        for line in lines:
            try:
                found.append(parse(line, self.compose.config_loader))
            except UserError as error:
                self.mistakes += error.messages
        return found

    def is_choice(self, choice: OverrideValue | ParsedOverride) -> bool:
        """Whether it takes part in composing: an option of a group, or something of Hydra's."""
        return choice.override.is_hydra_override() or choice.key in self.groups

    def may_choose(self, asked: ParsedOverride) -> bool:
        """Whether a choice can be composed: its options exist."""
        if asked.override.is_hydra_override() and "/" not in asked.key:
            return True
        if asked.override.is_delete():
            self.mistakes.append(f"{asked.line}: a group cannot be taken away")
            return False
        wrong = [m for c in asked.choices if (m := self._wrong_option(c.key, c.value))]
        self.mistakes += wrong
        return not wrong

    def composed(self, lines: Sequence[str]) -> ComposedConfig | None:
        """The config of these choices, made once; None where it cannot be."""
        key = tuple(lines)
        if key not in self._composed:
            try:
                self._composed[key] = ComposedConfig(self.compose.compose(lines))
            except COMPOSING_FAILS as error:
                self._composed[key] = None
                self.mistakes.append(" ".join(str(error).split()))
        return self._composed[key]

    def settings(
        self, composed: ComposedConfig, values: Sequence[OverrideValue]
    ) -> Settings | None:
        """The checked settings with these values; None where something is wrong with them."""
        allowed = [choice for choice in values if self._allows(composed, choice)]
        try:
            tree = composed.with_values([(choice.key, choice.value) for choice in allowed])
            settings = validate(tree)
        except UserError as error:
            self.mistakes += error.messages
            return None
        except OmegaConfBaseException as error:
            self.mistakes.append(" ".join(str(error).split()))
            return None
        return settings if len(allowed) == len(values) else None

    def _allows(self, composed: ComposedConfig, choice: OverrideValue) -> bool:
        known = (id(composed), choice.line)
        if known not in self._may_set:
            mistake = self._wrong_key(choice, composed.tree)
            self._may_set[known] = mistake is None
            self.mistakes += [mistake] if mistake else []
        return self._may_set[known]

    def _wrong_option(self, group: str, value: Any) -> str | None:
        *folders, name = format_value(value).split("/")
        options = self.compose.options("/".join([group, *folders]))
        if value is not None and name in options:
            return None
        near = did_you_mean(name, options)
        allows = f"{group} may be {', '.join(options)}"
        return f"{group}={format_value(value)}: no such option; {allows}{near}"

    def _wrong_key(self, choice: OverrideValue, tree: dict[str, Any]) -> str | None:
        key, override = choice.key, choice.override
        group, _, name = key.partition(".")
        mistake = _wrong_form(override, choice.line, is_there=_has(tree, key))
        if mistake is not None:
            return mistake
        if group in self.groups and name == "name":
            return f"{choice.line}: is chosen by {group}={format_value(choice.value)}"
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


def _wrong_form(override: Override, line: str, is_there: bool) -> str | None:
    if override.package is not None:
        return f"{line}: groups have no packages here"
    if override.is_delete():
        return f"{line}: a setting cannot be taken away"
    if override.is_add() and is_there:
        return f"{line}: {override.key_or_group} is there already; leave out the +"
    return None


def _has(tree: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True
