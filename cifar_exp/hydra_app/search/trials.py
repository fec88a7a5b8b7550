"""From the values of a proposal to a checked trial, in milliseconds."""

from collections.abc import Iterator, Mapping
from typing import Any

from cifar_exp.config.validation import validate
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.combinations import swept_values
from cifar_exp.hydra_app.overrides import OverrideValue, parse_override, value_of
from cifar_exp.hydra_app.search.compositions import Compositions
from cifar_exp.hydra_app.search.dimensions import Searched
from cifar_exp.hydra_app.search.overrides import SearchOverrides
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.sweeps.trial import Trial
from cifar_exp.text import value_as_text


class TrialMaker:
    """Lays the values of a proposal on the config of its options.

    Composing takes 50 ms, once for each combination of options; the rest about 1 ms.
    """

    def __init__(
        self, validator: OverrideValidator, overrides: SearchOverrides, compositions: Compositions
    ) -> None:
        self._validator, self._compositions = validator, compositions
        self._overrides = overrides
        self._seeds: dict[int, OverrideValue] = {}

    def __call__(self, values: Mapping[str, Any], seed: int) -> Trial:
        """The trial of these values, by key. Raises UserError if they do not go together."""
        composed = self._compositions.config(values)
        if composed is None:
            errors, self._validator.errors = self._validator.errors, []
            raise UserError(errors)
        laid = [value for value in self.taken(values) if value.key != "seed"]
        taken = [*laid, self._seed(seed)]
        settings = validate(composed.updated([(value.key, value.value) for value in taken]))
        typed = [*self._compositions.taken(values), *taken]
        return Trial(
            settings=settings,
            label=composed.label,
            overrides=tuple(v.text for v in typed if not v.override.is_hydra_override()),
            values=swept_values([*values, "seed"], typed, self._validator.groups, settings),
        )

    def taken(self, values: Mapping[str, Any]) -> list[OverrideValue]:
        """What is laid on the config where these values are chosen."""
        alone = [
            value
            for (group, option), own in self._overrides.alone.items()
            if values.get(group) == option
            for value in own
        ]
        return [*self._overrides.fixed, *alone, *self._searched(values)]

    def varied(self, values: Mapping[str, Any]) -> list[OverrideValue]:
        """What the values stand for: options, and settings laid on their config."""
        groups = self._compositions.options
        options = [v for v in self._compositions.taken(values) if v.key in groups]
        return [*options, *self._searched(values)]

    def _searched(self, values: Mapping[str, Any]) -> Iterator[OverrideValue]:
        groups = self._compositions.options
        for each in self._overrides.searched:
            key, dimension = each.override.key, each.dimension
            if key in values and key not in groups and dimension.is_present(values):
                yield _value(each, values[key])

    def _seed(self, seed: int) -> OverrideValue:
        if seed not in self._seeds:
            loader = self._validator.composer.config_loader
            (self._seeds[seed],) = parse_override(f"seed={seed}", loader).values
        return self._seeds[seed]


def _value(searched: Searched, value: Any) -> OverrideValue:
    if searched.dimension.kind != "choice":
        return value_of(searched.override.override, value)
    text = value_as_text(value)  # tells 1 from true and from 1.0
    return next(v for v in searched.override.values if value_as_text(v.value) == text)
