"""From overrides to checked trials. Every mistake is found before any work, and reported at once.

Hydra stops at its first error. Here each override is parsed alone, the valid options are composed,
and the values of each trial are applied to the result, which the schema validates.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from typing import Any

from cifar_exp.errors import UserError
from cifar_exp.hydra_app.combinations import combinations, swept_values
from cifar_exp.hydra_app.compose import Composer, open_composer
from cifar_exp.hydra_app.fixed import fixed_settings
from cifar_exp.hydra_app.overrides import MAX_TRIALS, OverrideValue
from cifar_exp.hydra_app.request import SweepRequest, read_request
from cifar_exp.hydra_app.search.grid import search_grid
from cifar_exp.hydra_app.search.mistakes import is_search, without_search
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.sweeps.trial import Grid, Trial


def check_command_line(arguments: argparse.Namespace) -> Grid:
    """The trials of a command line, with their settings.

    Raises UserError with a sentence on each mistake.
    """
    with open_composer(arguments) as composer:
        return check_overrides(composer, arguments.overrides, arguments.multirun)


def check_overrides(composer: Composer, lines: Sequence[str], is_multirun: bool) -> Grid:
    """The same for overrides alone."""
    validator = OverrideValidator(composer)
    request = read_request(validator, lines, is_multirun)
    composed = request.first(validator)
    if composed is not None and is_search(composed):
        return search_grid(validator, request)
    return _grid(validator, without_search(validator, request))


def _grid(validator: OverrideValidator, request: SweepRequest) -> Grid:
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


def _trials(validator: OverrideValidator, request: SweepRequest) -> Iterator[Trial]:
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


def _fixed(validator: OverrideValidator, request: SweepRequest, first: Trial) -> dict[str, Any]:
    taken = next(combinations(request.dimensions))
    swept = [value for value in taken if value.key in request.keys]
    return fixed_settings(validator, request.shared, swept, first.settings)
