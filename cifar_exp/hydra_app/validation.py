"""Validate overrides (option, key, value) and collect each error once."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf.errors import OmegaConfBaseException

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import known_keys, same_name, unknown_key, validate
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.compose import COMPOSE_ERRORS, ComposedConfig, Composer
from cifar_exp.hydra_app.overrides import (
    OverrideValue,
    ParsedOverride,
    parse_override,
    quoted_option,
)
from cifar_exp.text import did_you_mean, format_value

RECIPES = ("experiment", "sweep")  # groups whose files set what other groups hold
OMEGACONF_DETAILS = ("full_key:", "reference_type=", "object_type=")


class OverrideValidator:
    """Parses, composes and validates; `errors` holds a sentence on each mistake so far."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.groups = set(composer.groups()) & {*Settings.model_fields, *RECIPES}
        self.errors: list[str] = []
        self._composed: dict[tuple[str, ...], ComposedConfig | None] = {}
        self._is_allowed: dict[tuple[int, str], bool] = {}

    def raise_errors(self) -> None:
        """Raise UserError if there are any."""
        if self.errors:
            raise UserError(list(dict.fromkeys(self.errors)))

    def parsed(self, lines: Iterable[str]) -> list[ParsedOverride]:
        """The overrides that can be read."""
        found = []
        for line in lines:
            try:
                quoted = quoted_option(line, self.groups)
                found.append(parse_override(quoted, self.composer.config_loader))
            except UserError as error:
                self.errors += error.messages
        return found

    def is_composed(self, value: OverrideValue | ParsedOverride) -> bool:
        """Whether it takes part in composing: an option of a group, or a setting of Hydra's."""
        return value.override.is_hydra_override() or value.key in self.groups

    def with_valid_options(self, overrides: Iterable[ParsedOverride]) -> list[ParsedOverride]:
        """The overrides without those that choose an option that does not exist."""
        valid = []
        for override in overrides:
            errors = self._option_errors(override) if self.is_composed(override) else []
            self.errors += errors
            valid += [] if errors else [override]
        return valid

    def composed(self, lines: Sequence[str]) -> ComposedConfig | None:
        """The config of these options, composed once; None if that fails."""
        key = tuple(lines)
        if key not in self._composed:
            self._composed[key] = self._compose(lines)
        return self._composed[key]

    def _compose(self, lines: Sequence[str]) -> ComposedConfig | None:
        try:
            composed = ComposedConfig(self.composer.compose(lines))
        except COMPOSE_ERRORS as error:
            self.errors.append(compose_error(error))
            return None
        misplaced = [name for name in RECIPES if name in composed.tree]
        self.errors += [
            f"{name}={composed.choices.get(name)}: its file must begin with the line "
            "`# @package _global_`"
            for name in misplaced
        ]
        return None if misplaced else composed

    def settings(
        self, composed: ComposedConfig, values: Sequence[OverrideValue]
    ) -> Settings | None:
        """The checked settings with these values; None if there is a mistake in them."""
        allowed = [value for value in values if self._allows(composed, value)]
        try:
            tree = composed.updated([(value.key, value.value) for value in allowed])
            settings = validate(tree)
        except UserError as error:
            self.errors += error.messages
            return None
        except OmegaConfBaseException as error:
            self.errors.append(compose_error(error))
            return None
        return settings if len(allowed) == len(values) else None

    def _option_errors(self, override: ParsedOverride) -> list[str]:
        if override.override.is_hydra_override() and "/" not in override.key:
            return []
        parsed = override.override
        if parsed.is_delete():
            return [f"{override.shown}: a group cannot be removed"]
        if parsed.package is not None:
            return [f"{override.shown}: groups have no packages here"]
        if parsed.is_add() or parsed.is_force_add():
            return [f"{override.shown}: leave out the +"]
        return [e for v in override.values if (e := self._unknown_option(v.key, v.value))]

    def _unknown_option(self, group: str, value: Any) -> str | None:
        *folders, name = format_value(value).split("/")
        has_path = all(folder not in ("", ".", "..") for folder in folders)
        options = self.composer.options("/".join([group, *folders])) if has_path else []
        if value is not None and name in options:
            return None
        options = self.composer.options(group)
        if not options:
            return f"{format_value(group)}: no such group"
        near = did_you_mean(name, options)
        allows = f"{group} may be {', '.join(options)}"
        return f"{group}={format_value(value)}: no such option; {allows}{near}"

    def _allows(self, composed: ComposedConfig, value: OverrideValue) -> bool:
        known = (id(composed), value.line)
        if known not in self._is_allowed:
            error = self._key_error(value, composed.tree)
            self._is_allowed[known] = error is None
            self.errors += [error] if error else []
        return self._is_allowed[known]

    def _key_error(self, value: OverrideValue, tree: dict[str, Any]) -> str | None:
        key, override = value.key, value.override
        group, _, name = key.partition(".")
        error = _form_error(override, value.shown, exists=_has(tree, key))
        if error is not None:
            return error
        if group in self.groups and name == "name":
            return f"{value.shown}: is set by {group}={format_value(value.value)}"
        if isinstance(tree.get(group), dict) and "_target_" in tree[group]:
            # a user's own class has the settings that its YAML gives; `+` gives it more
            if override.is_add() or override.is_force_add() or _has(tree, key):
                return None
        elif name == "_target_":
            return f"{key}: a class of your own is an option of {group}, one YAML file (README)"
        elif key in known_keys(tree):
            return None
        return self._unknown_key(value, tree)

    def _unknown_key(self, value: OverrideValue, tree: dict[str, Any]) -> str:
        key = value.key
        group = key.partition(".")[0]
        if group in self.groups:
            return unknown_key(key, tree, typed=value.shown)
        near = same_name(key, tree) or did_you_mean(key, [*self.groups, *known_keys(tree)])
        near = near or did_you_mean(group, self.groups)
        groups = f"; the groups are {', '.join(sorted(self.groups))}"
        return f"{format_value(key)}: no such setting or group{near or groups}"


def compose_error(error: Exception) -> str:
    """The sentence on an error in composing."""
    if isinstance(error, RecursionError):
        return "a YAML file is nested too deeply, or its defaults lists include each other"
    lines = [line.strip() for line in str(error).splitlines()]
    details = [line for line in lines if line.startswith(OMEGACONF_DETAILS)]
    key = next((d.partition(":")[2].strip() for d in details if d.startswith("full_key:")), "")
    reason = " ".join(line for line in lines if line not in details)
    reason = re.sub(r"\w+ raised while composing config: ?", f"{key}: " if key else "", reason)
    return reason or type(error).__name__


def _form_error(override: Override, shown: str, *, exists: bool) -> str | None:
    if override.package is not None:
        return f"{shown}: groups have no packages here"
    if override.is_delete():
        return f"{shown}: a setting cannot be removed"
    if override.is_add() and exists:
        return f"{shown}: {override.key_or_group} exists already; leave out the +"
    return None


def _has(tree: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True
