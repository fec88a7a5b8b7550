"""Try the ends of every interval and every choice, so that no mistake is left for a proposal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cifar_exp.config.identity import NUISANCE, flatten
from cifar_exp.config.schema import Settings
from cifar_exp.hydra_app.search.compositions import Compositions
from cifar_exp.hydra_app.search.dimensions import Searched
from cifar_exp.hydra_app.search.trials import TrialMaker
from cifar_exp.hydra_app.validation import OverrideValidator


@dataclass(frozen=True)
class Example:
    """A configuration in the space, by its searched `values`, with these options of groups."""

    options: Mapping[str, str]
    values: Mapping[str, Any]
    settings: Settings

    @property
    def params(self) -> dict[str, Any]:
        """The flat settings that decide the result, the seed aside."""
        flat = flatten(self.settings)
        return {key: value for key, value in flat.items() if key not in NUISANCE | {"seed"}}


class ExampleChecker:
    """Validates each end and each choice beside the first of all others."""

    def __init__(
        self,
        validator: OverrideValidator,
        searched: Sequence[Searched],
        compositions: Compositions,
        make: TrialMaker,
    ) -> None:
        self._validator, self._compositions, self._make = validator, compositions, make
        self._searched = searched

    def examples(self) -> Iterator[Example]:
        """One for each option; mistakes are added to the validator's errors."""
        for options in self._compositions.star():
            values = self._first_values(options)
            settings = self._settings(values)
            for each in self._present(options):
                for end in each.ends[1:]:
                    self._settings({**values, each.override.key: end})
            if settings is not None:
                yield Example(options, values, settings)

    def _settings(self, values: Mapping[str, Any]) -> Settings | None:
        config = self._compositions.config(values)
        return self._validator.settings(config, self._make.taken(values)) if config else None

    def _present(self, options: Mapping[str, str]) -> list[Searched]:
        """What is searched where these options are chosen, but for the groups."""
        return [
            each
            for each in self._searched
            if each.override.key not in options and each.dimension.is_present(options)
        ]

    def _first_values(self, options: Mapping[str, str]) -> dict[str, Any]:
        first = {each.override.key: each.ends[0] for each in self._present(options)}
        return {**options, **first}
