"""The configs of a search: one for each combination of options, composed when it is needed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cifar_exp.hydra_app.compose import ComposedConfig
from cifar_exp.hydra_app.overrides import OverrideValue
from cifar_exp.hydra_app.request import SweepRequest
from cifar_exp.hydra_app.validation import OverrideValidator


class Compositions:
    """Composes the options that a search chooses among; each group's first one is the default."""

    def __init__(self, validator: OverrideValidator, request: SweepRequest) -> None:
        self._validator, self._shared = validator, request.shared
        self._composed = [o for o in request.overrides if validator.is_composed(o)]
        self.options: Mapping[str, Sequence[str]] = {
            o.key: [str(value.value) for value in o.values]
            for o in self._composed
            if len(o.values) > 1
        }

    def taken(self, values: Mapping[str, Any]) -> list[OverrideValue]:
        """What is composed where `values`, by key, are chosen."""
        chosen = [
            next((v for v in o.values if str(v.value) == values.get(o.key)), o.values[0])
            for o in self._composed
        ]
        return [*self._shared, *chosen]

    def config(self, values: Mapping[str, Any]) -> ComposedConfig | None:
        """The config where `values`, by key, are chosen; None, with an error noted, if it fails."""
        return self._validator.composed([value.text for value in self.taken(values)])

    def star(self) -> Iterator[dict[str, str]]:
        """The first option of every group, then every other option with the first of the others."""
        first = {group: options[0] for group, options in self.options.items()}
        yield first
        for group, options in self.options.items():
            for option in options[1:]:
                yield {**first, group: option}
