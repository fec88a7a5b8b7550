"""Find all of a user's mistakes in a command line before any work, and tell them at once.

Hydra stops at its first error; here every override is parsed alone, the valid groups are composed,
and the values are laid on the result for the schema to judge, trial by trial where there are many.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar_exp.config.identity import identifying
from cifar_exp.config.launcher import check_launcher
from cifar_exp.config.validation import validate
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.combinations import Dimension, combinations, swept_values
from cifar_exp.hydra_app.compose import COMPOSING_FAILS, Composer, open_composer
from cifar_exp.hydra_app.overrides import (
    PAIRED,
    OverrideValue,
    ParsedOverride,
    lines_of,
    parse_paired,
)
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.sweeps.trial import Grid, Trial

MAX_TRIALS = 50_000
ADD_MULTIRUN = "several values make several runs; add --multirun"


def check_command_line(arguments: argparse.Namespace) -> Grid:
    """The trials that the command line asks for, with their settings.

    Raises UserError with a sentence on every mistake.
    """
    with open_composer(arguments) as compose:
        return check_overrides(compose, arguments.overrides, arguments.multirun)


def check_overrides(compose: Composer, lines: Sequence[str], is_multirun: bool) -> Grid:
    """The same for overrides alone."""
    judge = OverrideValidator(compose)
    asking = _read(judge, lines, is_multirun)
    number = math.prod(len(dimension) for dimension in asking.dimensions)
    if number > MAX_TRIALS:
        raise UserError(f"{number:,} runs are asked for; a sweep has at most {MAX_TRIALS:,}")
    trials = list(_trials(judge, asking))
    judge.raise_mistakes()
    fixed = _fixed(judge, asking, trials[0]) if asking.is_sweep else {}
    return Grid(trials, asking.keys, asking.is_sweep, asking.option, fixed, asking.launcher)


def trials_of(compose: Composer, jobs: Sequence[Sequence[str]]) -> list[Trial]:
    """The trial of each job's overrides, of which every one gives a single value.

    Raises UserError with a sentence on every mistake.
    """
    judge = OverrideValidator(compose)
    trials = []
    for lines in jobs:
        taken = [choice for asked in judge.parsed(lines) for choice in asked.choices]
        trial = _trial(judge, [], taken)
        trials += [trial] if trial else []
    judge.raise_mistakes()
    return trials


@dataclass(frozen=True)
class _SweepRequest:
    """A command line with the file of its sweep, read but not judged yet."""

    about_hydra: Sequence[OverrideValue]
    sweep: Sequence[OverrideValue]  # the sweep option, if there is one
    dimensions: Sequence[Dimension]
    keys: Sequence[str]
    is_sweep: bool
    launcher: Mapping[str, Any]

    @property
    def option(self) -> str | None:
        return next((str(choice.value) for choice in self.sweep), None)


def _read(judge: OverrideValidator, lines: Sequence[str], is_multirun: bool) -> _SweepRequest:
    typed = judge.parsed(lines)
    hydras = [a for a in typed if a.override.is_hydra_override()]
    sweeps = [a for a in typed if a.key == "sweep"]
    single = [c for a in [*hydras, *sweeps] if _is_single(judge, a) for c in a.choices]
    composed = judge.composed([choice.text for choice in single])
    hydra: Any = composed.config.hydra if composed else OmegaConf.create({})
    launcher = _plain(hydra, "launcher")
    judge.mistakes += check_launcher(launcher)
    is_sweep = is_multirun or bool(sweeps) or str(hydra.get("mode")).endswith("MULTIRUN")
    listed, paired = _listed(judge, hydra) if is_sweep else ([], [])
    own = [a for a in typed if a not in hydras and a not in sweeps]
    asked = list({a.key: a for a in [*listed, *own]}.values())  # what is typed last counts
    together = list(dict.fromkeys(choice.key for step in paired for choice in step))
    judge.mistakes += [f"{a.line}: {a.key} is in {PAIRED} too" for a in asked if a.key in together]
    judge.mistakes += _typed_wrong(judge, [*sweeps, *own], is_sweep)
    asked = [a for a in asked if not judge.is_choice(a) or judge.may_choose(a)]
    swept = {a.key for a in listed} | {a.key for a in asked if len(a.choices) > 1}
    dimensions: list[Dimension] = [[(choice,) for choice in a.choices] for a in asked]
    return _SweepRequest(
        about_hydra=[c for c in single if c.key != "sweep"],
        sweep=[c for c in single if c.key == "sweep"],
        dimensions=[*dimensions, paired] if paired else dimensions,
        keys=[*(a.key for a in asked if a.key in swept), *together],
        is_sweep=is_sweep,
        launcher=launcher,
    )


def _typed_wrong(
    judge: OverrideValidator, typed: Sequence[ParsedOverride], is_sweep: bool
) -> Iterator[str]:
    options = Counter(asked.key for asked in typed if judge.is_choice(asked))
    yield from (f"{key}=...: is given {n} times" for key, n in options.items() if n > 1)
    if not is_sweep:
        yield from (f"{asked.line}: {ADD_MULTIRUN}" for asked in typed if len(asked.choices) > 1)


def _is_single(judge: OverrideValidator, asked: ParsedOverride) -> bool:
    if len(asked.choices) > 1:
        judge.mistakes.append(f"{asked.line}: takes one value at a time")
        return False
    return judge.may_choose(asked)


def _listed(judge: OverrideValidator, hydra: DictConfig) -> tuple[list[ParsedOverride], Dimension]:
    """The values that the sweep's file lists, and those that move together."""
    sweeper = _plain(hydra, "sweeper")
    params = sweeper.get("params") or {}
    if not isinstance(params, Mapping):
        judge.mistakes.append(f"hydra.sweeper.params={params}: must be keys with their values")
        params = {}
    listed = judge.parsed(lines_of(params))
    try:
        steps = parse_paired(sweeper.get("paired") or [], judge.compose.config_loader)
    except UserError as error:
        judge.mistakes += error.messages
        return listed, []
    together = [
        [a for a in step if not judge.is_choice(a) or judge.may_choose(a)] for step in steps
    ]
    return listed, [tuple(c for a in step for c in a.choices) for step in together]


def _plain(hydra: DictConfig, key: str) -> Mapping[str, Any]:
    section = hydra.get(key)
    tree = {} if section is None else OmegaConf.to_container(section, resolve=True)
    assert isinstance(tree, dict)
    return {str(name): value for name, value in tree.items()}


def _trials(judge: OverrideValidator, asking: _SweepRequest) -> Iterator[Trial]:
    for taken in combinations(asking.dimensions):
        trial = _trial(judge, asking.keys, [*asking.about_hydra, *asking.sweep, *taken])
        if trial is not None:
            yield trial


def _trial(
    judge: OverrideValidator, keys: Sequence[str], taken: Sequence[OverrideValue]
) -> Trial | None:
    composed = judge.composed([choice.text for choice in taken if judge.is_choice(choice)])
    values = [choice for choice in taken if not judge.is_choice(choice)]
    settings = judge.settings(composed, values) if composed else None
    if composed is None or settings is None:
        return None
    return Trial(
        settings=settings,
        label=composed.label,
        overrides=tuple(c.text for c in taken if not c.override.is_hydra_override()),
        values=swept_values(keys, taken, judge.groups, settings),
    )


def _fixed(judge: OverrideValidator, asking: _SweepRequest, first: Trial) -> dict[str, Any]:
    """What the command line has set beside the swept keys, where that makes a difference."""
    taken = next(combinations(asking.dimensions))
    swept = [choice for choice in taken if choice.key in asking.keys]
    shared = [*asking.about_hydra, *asking.sweep]
    options = [c.text for c in [*shared, *swept] if judge.is_choice(c)]
    values = [(choice.key, choice.value) for choice in swept if not judge.is_choice(choice)]
    own = identifying(first.settings)
    composed = judge.composed(options)
    try:
        default = identifying(validate(composed.with_values(values))) if composed else {}
    except COMPOSING_FAILS:  # it takes the fixed settings to make a whole of the swept ones
        default = {}
    missing = object()
    return {
        key: value
        for key, value in own.items()
        if key not in asking.keys and default.get(key, missing) != value
    }
