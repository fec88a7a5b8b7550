"""The overrides of a search: what is searched, what is fixed, and what one option has alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cifar_exp.config.identity import NUISANCE
from cifar_exp.config.validation import known_keys
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.overrides import OverrideValue, ParsedOverride, parse_override
from cifar_exp.hydra_app.request import SweepRequest
from cifar_exp.hydra_app.search.compositions import Compositions
from cifar_exp.hydra_app.search.dimensions import Option, Searched, read_dimension
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.sweeps.search.space import Dimension


@dataclass(frozen=True)
class OptionSetting:
    """A setting that one option has alone.

    It is `typed` as `optimizer.sgd.lr=...`; `own` is the same as `optimizer.lr=...`.
    """

    typed: ParsedOverride
    own: ParsedOverride
    option: Option


@dataclass(frozen=True)
class SearchOverrides:
    """What is `searched`, a group before what its options have alone; what all trials have `fixed`.

    `alone`: by option, what is fixed where it is chosen.
    """

    searched: list[Searched] = field(default_factory=list)
    fixed: list[OverrideValue] = field(default_factory=list)
    alone: dict[Option, list[OverrideValue]] = field(default_factory=dict)


def option_setting(validator: OverrideValidator, override: ParsedOverride) -> OptionSetting | None:
    """The setting of one option that a key such as `optimizer.sgd.lr` names, if it does."""
    group, _, rest = override.key.partition(".")
    option, _, name = rest.partition(".")
    if not name or group not in validator.groups or option not in validator.composer.options(group):
        return None
    line = override.line.replace(override.key, f"{group}.{name}", 1)
    own = parse_override(line, validator.composer.config_loader)
    return OptionSetting(override, own, (group, option))


class OverrideReader:
    """Sorts the overrides of a search; mistakes are added to the validator's errors."""

    def __init__(
        self, validator: OverrideValidator, request: SweepRequest, compositions: Compositions
    ) -> None:
        self._validator, self._compositions = validator, compositions
        settings = [(o, option_setting(validator, o)) for o in request.overrides]
        self._plain = [override for override, setting in settings if setting is None]
        self._alone = [setting for _, setting in settings if setting is not None]
        self._found = SearchOverrides()

    def read(self) -> SearchOverrides:
        """What is searched, and what is fixed."""
        self._validator.errors += self._alone_errors()
        for override in self._plain:
            if self._validator.is_composed(override):
                self._read_group(override)
            elif error := self._missing_error(override):
                self._validator.errors.append(error)
            else:
                self._read(override, override, None)
        return self._found

    def _read_group(self, override: ParsedOverride) -> None:
        options = self._compositions.options.get(override.key)
        if options is None:
            return
        dimension = Dimension(override.key, "choice", choices=tuple(options))
        self._found.searched.append(Searched(override.key, override, dimension))
        for setting in self._alone:
            if setting.option[0] == override.key and setting.option[1] in options:
                self._read(setting.typed, setting.own, setting.option)

    def _read(self, typed: ParsedOverride, own: ParsedOverride, when: Option | None) -> None:
        if len(own.values) == 1:
            place = self._found.fixed if when is None else self._found.alone.setdefault(when, [])
            place.extend(own.values)
            return
        error = _not_searched(own, typed.shown)
        config = self._compositions.config(dict([when] if when else []))
        if error is not None or config is None:
            self._validator.errors += [error] if error else []
            return
        try:
            dimension = read_dimension(own, typed.shown, config.tree, when)
        except UserError as mistake:
            self._validator.errors += mistake.messages
            return
        self._found.searched.append(Searched(typed.key, own, dimension))

    def _missing_error(self, override: ParsedOverride) -> str | None:
        """A sentence on a setting that only some of the options have that are searched."""
        group, _, name = override.key.partition(".")
        configs = {
            option: config
            for option in self._compositions.options.get(group, ())
            if (config := self._compositions.config({group: option})) is not None
        }
        missing = [
            o for o, config in configs.items() if override.key not in known_keys(config.tree)
        ]
        if not missing or len(missing) == len(configs):
            return None
        having = next(option for option in configs if option not in missing)
        return (
            f"{override.shown}: {group}={missing[0]} has no such setting; "
            f"write {group}.{having}.{name} to set it where {group}={having} is chosen"
        )

    def _alone_errors(self) -> Iterator[str]:
        plain = {override.key: override for override in self._plain}
        for setting in self._alone:
            group, option = setting.option
            options = self._compositions.options.get(group)
            if options is None:
                yield (
                    f"{setting.typed.shown}: goes with several options of the group, as "
                    f"{group}=...,{option}; otherwise write {setting.own.key}"
                )
            elif option not in options:
                yield f"{setting.typed.shown}: {option} is not in {plain[group].shown}"
            elif setting.own.key in plain:
                yield f"{setting.typed.shown}: {plain[setting.own.key].shown} is given too"


def _not_searched(own: ParsedOverride, shown: str) -> str | None:
    """Why a key cannot be part of a space."""
    if own.key == "seed":
        number = len(own.values)
        return (
            f"{shown}: a search begins with one seed; search.seeds={number} trains each "
            f"configuration with {number}"
        )
    if own.key in NUISANCE:
        return f"{shown}: cannot be searched, because it does not change a run's result"
    return None
