"""A space and results in Optuna's terms: its distributions, trials and a study in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

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
        as_trial(space, known, each.values, **results_of(each, minimizes_pflop=minimizes_pflop))
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


def as_trial(
    space: Space, known: Mapping[str, Distribution], params: Mapping[str, Any], **more: Any
) -> FrozenTrial:
    """A trial with these values by key; `more` goes to Optuna's create_trial."""
    present = space.present(params)
    return create_trial(
        params={d.name: as_param(d, params[d.key]) for d in present},
        distributions={d.name: known[d.name] for d in present},
        **more,
    )


def results_of(seen: Observation, *, minimizes_pflop: bool) -> dict[str, Any]:
    """State, values and intermediate values of a trial."""
    if seen.paused_at is not None:
        reached = {seen.paused_at: seen.accuracy}
        return {"state": TrialState.PRUNED, "intermediate_values": reached}
    values = [seen.accuracy, seen.pflop] if minimizes_pflop else [seen.accuracy]
    return {"state": TrialState.COMPLETE, "values": values}


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
