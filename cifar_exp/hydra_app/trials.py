"""From overrides to checked trials. Every mistake is found before any work, and reported at once.

Hydra stops at its first error. Here each override is parsed alone, the valid options are composed,
and the values of each trial are applied to the result, which the schema validates.
"""

import argparse
import math
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_origin

from cifar_exp.config.identity import identifying, leaves
from cifar_exp.config.validation import find_field, validate
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.combinations import Dimension, combinations, swept_values
from cifar_exp.hydra_app.compose import COMPOSE_ERRORS, Composer, open_composer
from cifar_exp.hydra_app.hydra_section import HydraSection, read_hydra_section, with_valid_keys
from cifar_exp.hydra_app.overrides import (
    MAX_TRIALS,
    PAIRED,
    OverrideValue,
    ParsedOverride,
    params_lines,
    parse_paired,
)
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.sweeps.trial import Grid, Trial
from cifar_exp.text import format_value

ADD_MULTIRUN = "several values make several runs; add --multirun"
TAKES_ONE = "takes one value at a time"


def check_command_line(arguments: argparse.Namespace) -> Grid:
    """The trials of a command line, with their settings.

    Raises UserError with a sentence on each mistake.
    """
    with open_composer(arguments) as composer:
        return check_overrides(composer, arguments.overrides, arguments.multirun)


def check_overrides(composer: Composer, lines: Sequence[str], is_multirun: bool) -> Grid:
    """The same for overrides alone."""
    validator = OverrideValidator(composer)
    request = _read(validator, lines, is_multirun)
    number = math.prod(len(dimension) for dimension in request.dimensions)
    if number > MAX_TRIALS:
        raise UserError(f"{number:,} combinations; a sweep has at most {MAX_TRIALS:,} runs")
    trials = list(_trials(validator, request))
    validator.raise_errors()
    return Grid(
        trials=trials,
        keys=request.keys,
        is_sweep=request.is_sweep,
        option=request.option,
        fixed=_fixed(validator, request, trials[0]) if request.is_sweep else {},
        launcher=request.hydra.launcher,
        launcher_options=request.hydra.options,
        has_foreign_sweeper=request.hydra.has_foreign_sweeper,
    )


def trials_of(composer: Composer, jobs: Sequence[Sequence[str]]) -> list[Trial]:
    """The trial of each job of a Hydra sweeper; every override has a single value.

    Raises UserError with a sentence on each mistake.
    """
    validator = OverrideValidator(composer)
    trials = []
    for lines in jobs:
        values = [value for parsed in validator.parsed(lines) for value in parsed.values]
        trial = _trial(validator, [], values)
        trials += [trial] if trial else []
    validator.raise_errors()
    return trials


@dataclass(frozen=True)
class _SweepRequest:
    """A command line with its sweep file, parsed but not yet validated.

    `shared` is part of every trial: settings of Hydra's, and the sweep option if there is one.
    """

    shared: Sequence[OverrideValue]
    dimensions: Sequence[Dimension]
    keys: Sequence[str]
    is_sweep: bool
    hydra: HydraSection

    @property
    def option(self) -> str | None:
        return next((str(value.value) for value in self.shared if value.key == "sweep"), None)


@dataclass(frozen=True)
class _Listed:
    """What a sweep file lists: values by key, and settings that move together."""

    params: Sequence[ParsedOverride] = ()
    paired: Dimension = field(default_factory=list)

    @property
    def paired_keys(self) -> list[str]:
        return list(dict.fromkeys(value.key for step in self.paired for value in step))


def _read(validator: OverrideValidator, lines: Sequence[str], is_multirun: bool) -> _SweepRequest:
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
    validator.errors += _paired_errors(merged, listed.paired_keys)
    overrides = validator.with_valid_options(merged)
    swept = {o.key for o in listed.params} | {o.key for o in overrides if len(o.values) > 1}
    dimensions: list[Dimension] = [[(value,) for value in o.values] for o in overrides]
    return _SweepRequest(
        shared=sorted(shared, key=lambda value: value.key == "sweep"),
        dimensions=[*dimensions, listed.paired] if listed.paired else dimensions,
        keys=[*(o.key for o in overrides if o.key in swept), *listed.paired_keys],
        is_sweep=is_sweep,
        hydra=hydra,
    )


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


def _trials(validator: OverrideValidator, request: _SweepRequest) -> Iterator[Trial]:
    for taken in combinations(request.dimensions):
        trial = _trial(validator, request.keys, [*request.shared, *taken])
        if trial is not None:
            yield trial


def _trial(
    validator: OverrideValidator, keys: Sequence[str], taken: Sequence[OverrideValue]
) -> Trial | None:
    composed = validator.composed([v.text for v in taken if validator.is_composed(v)])
    values = [value for value in taken if not validator.is_composed(value)]
    settings = validator.settings(composed, values) if composed else None
    if composed is None or settings is None:
        return None
    return Trial(
        settings=settings,
        label=composed.label,
        overrides=tuple(v.text for v in taken if not v.override.is_hydra_override()),
        values=swept_values(keys, taken, validator.groups, settings),
    )


def _fixed(validator: OverrideValidator, request: _SweepRequest, first: Trial) -> dict[str, Any]:
    """The settings beside the swept ones that differ from the defaults."""
    taken = next(combinations(request.dimensions))
    swept = [value for value in taken if value.key in request.keys]
    options = [v.text for v in [*request.shared, *swept] if validator.is_composed(v)]
    values = [(value.key, value.value) for value in swept if not validator.is_composed(value)]
    composed = validator.composed(options)
    try:
        default = identifying(validate(composed.updated(values))) if composed else {}
    except COMPOSE_ERRORS:  # the swept settings are not complete without the fixed ones
        default = {}
    missing = object()
    return {
        key: value
        for key, value in identifying(first.settings).items()
        if key not in request.keys and default.get(key, missing) != value
    }
