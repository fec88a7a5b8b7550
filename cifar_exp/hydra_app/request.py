"""A command line with its sweep file, parsed: what is listed, and what moves together."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_origin

from cifar_exp.config.identity import leaves
from cifar_exp.config.validation import find_field
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.combinations import Dimension, combinations
from cifar_exp.hydra_app.compose import ComposedConfig
from cifar_exp.hydra_app.hydra_section import HydraSection, read_hydra_section, with_valid_keys
from cifar_exp.hydra_app.overrides import (
    PAIRED,
    OverrideValue,
    ParsedOverride,
    params_lines,
    parse_paired,
)
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.text import format_value

ADD_MULTIRUN = "several values make several runs; add --multirun"
TAKES_ONE = "takes one value at a time"


@dataclass(frozen=True)
class SweepRequest:
    """A command line with its sweep file, parsed but not yet validated.

    `shared` is part of every trial: settings of Hydra's, and the sweep option if there is one.
    `overrides` are all others, of which the sweep file lists those with the keys `listed`.
    `paired`: the settings of the sweep file that move together.
    """

    shared: Sequence[OverrideValue]
    overrides: Sequence[ParsedOverride]
    listed: Container[str]
    paired: Dimension
    is_sweep: bool
    hydra: HydraSection

    @property
    def option(self) -> str | None:
        """The name of the sweep option."""
        return next((str(value.value) for value in self.shared if value.key == "sweep"), None)

    @property
    def dimensions(self) -> list[Dimension]:
        """What a grid combines."""
        dimensions: list[Dimension] = [[(v,) for v in o.values] for o in self.overrides]
        return [*dimensions, self.paired] if self.paired else dimensions

    @property
    def keys(self) -> list[str]:
        """The keys that a grid sweeps."""
        swept = [o.key for o in self.overrides if o.key in self.listed or len(o.values) > 1]
        return [*swept, *keys_of(self.paired)]

    def first(self, validator: OverrideValidator) -> ComposedConfig | None:
        """The config of the first value of everything; None if it cannot be composed."""
        taken = next(combinations(self.dimensions))
        return validator.composed(
            [v.text for v in [*self.shared, *taken] if validator.is_composed(v)]
        )


@dataclass(frozen=True)
class _Listed:
    """What a sweep file lists: values by key, and settings that move together."""

    params: Sequence[ParsedOverride] = ()
    paired: Dimension = field(default_factory=list)


def read_request(
    validator: OverrideValidator, lines: Sequence[str], is_multirun: bool
) -> SweepRequest:
    """Parse the overrides and the sweep file; mistakes are added to the validator's errors."""
    typed = validator.parsed(lines)
    hydras = [o for o in typed if o.override.is_hydra_override()]
    sweeps = [o for o in typed if o.key == "sweep"]
    own = [o for o in typed if o not in hydras and o not in sweeps]
    single = _with_one_value(validator, [*hydras, *sweeps])
    dropped = {o.key for o in hydras} - {o.key for o in single}
    shared = with_valid_keys(validator, [v for o in single for v in o.values], dropped)
    hydra = read_hydra_section(validator, shared)
    is_sweep = is_multirun or bool(sweeps) or hydra.is_multirun
    listed = _listed(validator, hydra, shared) if is_sweep else _Listed()
    validator.errors += _typed_errors(validator, [*sweeps, *own], is_sweep)
    merged = list({o.key: o for o in [*listed.params, *own]}.values())  # the last override wins
    validator.errors += _paired_errors(merged, keys_of(listed.paired))
    return SweepRequest(
        shared=sorted(shared, key=lambda value: value.key == "sweep"),
        overrides=validator.with_valid_options(merged),
        listed={o.key for o in listed.params},
        paired=listed.paired,
        is_sweep=is_sweep,
        hydra=hydra,
    )


def keys_of(paired: Dimension) -> list[str]:
    """The keys of settings that move together."""
    return list(dict.fromkeys(value.key for step in paired for value in step))


def _with_one_value(
    validator: OverrideValidator, overrides: Sequence[ParsedOverride]
) -> list[ParsedOverride]:
    several = [o for o in overrides if len(o.values) > 1]
    validator.errors += [f"{o.shown}: {TAKES_ONE}" for o in several]
    return validator.with_valid_options(o for o in overrides if o not in several)


def _typed_errors(
    validator: OverrideValidator, typed: Sequence[ParsedOverride], is_sweep: bool
) -> Iterator[str]:
    options = Counter(o.key for o in typed if validator.is_composed(o))
    yield from (f"{key}=...: is given {n} times" for key, n in options.items() if n > 1)
    if not is_sweep:
        several = [o for o in typed if len(o.values) > 1]
        yield from (f"{o.shown}: {_advice(o)}" for o in several)


def _advice(override: ParsedOverride) -> str:
    return TAKES_ONE if override.key.startswith("confirm.") else ADD_MULTIRUN


def _paired_errors(overrides: Sequence[ParsedOverride], paired: Sequence[str]) -> list[str]:
    return [f"{o.shown}: {o.key} is in {PAIRED} too" for o in overrides if o.key in paired]


def _listed(
    validator: OverrideValidator, hydra: HydraSection, shared: Sequence[OverrideValue]
) -> _Listed:
    """The values that the sweep file lists, and those that move together."""
    params = hydra.sweeper.get("params") or {}
    if not isinstance(params, Mapping):
        shown = format_value(params)
        validator.errors.append(f"hydra.sweeper.params={shown}: must be keys with their values")
        params = {}
    composed = validator.composed([value.text for value in shared])
    lists = {} if composed is None else _misread_lists(params, composed.tree, validator.groups)
    validator.errors += lists.values()
    listed = validator.parsed(params_lines({k: v for k, v in leaves(params) if k not in lists}))
    try:
        loader = validator.composer.config_loader
        steps = parse_paired(hydra.sweeper.get("paired") or [], loader)
    except UserError as error:
        validator.errors += error.messages
        return _Listed(listed)
    valid = [validator.with_valid_options(step) for step in steps]
    return _Listed(listed, [tuple(value for o in step for value in o.values) for step in valid])


def _misread_lists(
    params: Mapping[str, Any], tree: Mapping[str, Any], groups: Container[str]
) -> dict[str, str]:
    """By key: a sentence on each YAML list that was meant as several values."""
    errors = {}
    for key, value in leaves(params):
        field = find_field(key, tree)
        takes_one = key in groups or (
            field is not None and get_origin(field.annotation) is not tuple
        )
        if isinstance(value, list) and takes_one:
            text = ",".join(map(format_value, value))
            errors[key] = f"{key}={format_value(value)}: write the values as text, {key}: {text}"
    return errors
