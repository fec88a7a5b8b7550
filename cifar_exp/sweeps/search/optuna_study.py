"""A space and results in Optuna's terms: its distributions, trials and a study in memory."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.samplers.unit_cube import as_value
from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.text import value_as_text

Distribution = FloatDistribution | IntDistribution | CategoricalDistribution

optuna.logging.set_verbosity(optuna.logging.ERROR)


def make_study(
    space: Space, history: Sequence[Observation], *, minimizes_pflop: bool = False
) -> optuna.Study:
    """A study in memory with these results as its trials."""
    maximize, minimize = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    study = optuna.create_study(directions=[maximize, minimize] if minimizes_pflop else [maximize])
    whole = [o for o in history if o.paused_at is None]
    # Optuna compares paused trials at the last epoch that they reached, and has no way to do so
    # with two objectives.
    used = whole if minimizes_pflop else history
    known = distributions(space)
    study.add_trials(
        as_trial(space, known, each.values, outcome_of(each, minimizes_pflop=minimizes_pflop))
        for each in used
    )
    return study


def distributions(space: Space) -> dict[str, Distribution]:
    """The dimensions for Optuna, by name."""
    return {dimension.name: distribution(dimension) for dimension in space.dimensions}


def distribution(dimension: Dimension) -> Distribution:
    """A dimension for Optuna; a choice is known there by its text."""
    if dimension.kind == "choice":
        return CategoricalDistribution([value_as_text(choice) for choice in dimension.choices])
    low, high = dimension.low, dimension.high
    assert low is not None
    assert high is not None
    if dimension.kind == "int":
        step = int(dimension.step or 1)
        high = low + (int(high) - int(low)) // step * step
        return IntDistribution(int(low), int(high), log=dimension.is_log, step=step)
    if dimension.step and dimension.size:
        high = low + (dimension.size - 1) * dimension.step
    return FloatDistribution(low, high, log=dimension.is_log, step=dimension.step)


def as_param(dimension: Dimension, value: Any) -> Any:
    """A value as Optuna knows it."""
    if dimension.kind == "choice":
        return value_as_text(next(c for c in dimension.choices if c == value))
    return int(value) if dimension.kind == "int" else float(value)


class SharedTrial(FrozenTrial):
    """A trial that studies do not copy: that takes half the time of a proposal at 1,000 runs.

    Nothing changes a trial that has ended, but for the number that its study gives it.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> "SharedTrial":
        return copy(self)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, in Optuna's terms; `reached`: the metric by epoch."""

    state: TrialState
    values: Sequence[float] | None = None
    reached: Mapping[int, float] = field(default_factory=dict)


def as_trial(
    space: Space,
    known: Mapping[str, Distribution],
    values: Mapping[str, Any],
    outcome: Outcome,
    attributes: Mapping[str, Any] | None = None,
    times: Sequence[datetime | None] = (None, None),
) -> SharedTrial:
    """A trial with these values by key; `times`: when it began and ended, if that is known."""
    present = space.present(values)
    began, ended = times
    has_begun, has_ended = outcome.state is not TrialState.WAITING, outcome.state.is_finished()
    return SharedTrial(
        number=-1,
        trial_id=-1,
        state=outcome.state,
        value=None,
        values=outcome.values,
        datetime_start=(began or datetime.now()) if has_begun else None,
        datetime_complete=(ended or datetime.now()) if has_ended else None,
        params={d.name: as_param(d, values[d.key]) for d in present},
        distributions={d.name: known[d.name] for d in present},
        user_attrs=dict(attributes or {}),
        system_attrs={},
        intermediate_values=dict(outcome.reached),
    )


def outcome_of(seen: Observation, *, minimizes_pflop: bool) -> Outcome:
    """The outcome of a configuration."""
    if seen.paused_at is not None:
        return Outcome(TrialState.PRUNED, reached={seen.paused_at: seen.accuracy})
    values = [seen.accuracy, seen.pflop] if minimizes_pflop else [seen.accuracy]
    return Outcome(TrialState.COMPLETE, values)


def suggested(space: Space, trial: Trial) -> dict[str, Any]:
    """Values by key, as the study's sampler suggests them."""
    values: dict[str, Any] = {}
    for dimension in space.dimensions:
        if dimension.is_present(values):
            values[dimension.key] = _suggest(dimension, trial)
    return values


def _suggest(dimension: Dimension, trial: Trial) -> Any:
    name, known = dimension.name, distribution(dimension)
    if isinstance(known, CategoricalDistribution):
        text = trial.suggest_categorical(name, known.choices)
        return next(c for c in dimension.choices if value_as_text(c) == text)
    if isinstance(known, IntDistribution):
        return trial.suggest_int(name, known.low, known.high, step=known.step, log=known.log)
    number = trial.suggest_float(name, known.low, known.high, step=known.step, log=known.log)
    return as_value(dimension, number)
