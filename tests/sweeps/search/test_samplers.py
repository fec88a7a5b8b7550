"""What the samplers draw, and what they refuse."""

import re
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.config.search import SearchSection
from cifar_exp.errors import UserError
from cifar_exp.sweeps.search.optuna_study import make_study
from cifar_exp.sweeps.search.samplers.base import Observation, Sampler
from cifar_exp.sweeps.search.samplers.registry import SAMPLERS, make_sampler
from cifar_exp.sweeps.search.samplers.unit_cube import from_unit, to_unit
from cifar_exp.sweeps.search.space import Dimension, Space

LR = Dimension("optimizer.lr", "float", 1e-4, 1.0, is_log=True)
WIDTH = Dimension("model.width", "int", 4, 64)
DROPOUT = Dimension("model.dropout", "float", 0.0, 0.5, step=0.1)
DEPTH = Dimension("model.depth", "int", 1, 16, is_log=True)
ACTIVATION = Dimension("model.activation", "choice", choices=("relu", "silu", None))
ALL = Space((LR, WIDTH, DROPOUT, DEPTH, ACTIVATION))
NUMBERS = Space((LR, WIDTH, DROPOUT, DEPTH))


def sampler(space: Space, name: str = "random", **search: Any) -> Sampler:
    return make_sampler(SearchSection(name=name, **search), space)


def drawn(made: Sampler, n: int, history: tuple[Observation, ...] = ()) -> list[dict[str, Any]]:
    return [dict(next(made.candidates(history, number))) for number in range(n)]


def observed(made: Sampler, n: int) -> tuple[Observation, ...]:
    """Results that are best at a rate of 0.01 and a width of 64."""
    return tuple(
        Observation(
            values,
            accuracy=values["model.width"] / 100 - abs(np.log10(values["optimizer.lr"]) + 2) / 5,
            pflop=1.0,
        )
        for values in drawn(made, n)
    )


@pytest.mark.parametrize("name", SAMPLERS)
def test_what_is_drawn_lies_in_the_space_and_has_few_digits(name: str) -> None:
    space = NUMBERS if name == "cmaes" else ALL
    for values in drawn(sampler(space, name), 20):
        assert space.contains(values)
        assert all(len(repr(value)) <= 12 for value in values.values())
        assert isinstance(values["model.width"], int)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_history_number_and_seed_give_the_same_candidates(name: str) -> None:
    history = observed(sampler(NUMBERS), 15)
    made = [
        [dict(each) for each in islice(sampler(NUMBERS, name, seed=seed).candidates(history, n), 3)]
        for seed, n in ((1, 15), (1, 15), (2, 15), (1, 16))
    ]
    assert made[0] == made[1]
    assert all(one != other for i, one in enumerate(made[1:]) for other in made[i + 2 :])


def test_random_search_is_uniform_in_the_logarithm_where_it_is_told_so() -> None:
    values = drawn(sampler(ALL), 2000)
    rates = np.log10([each["optimizer.lr"] for each in values])
    assert stats.kstest(rates, stats.uniform(-4, 4).cdf).pvalue > 0.01
    for key, size in (("model.width", 61), ("model.dropout", 6), ("model.activation", 3)):
        _, counts = np.unique([str(each[key]) for each in values], return_counts=True)
        assert len(counts) == size
        assert stats.chisquare(counts).pvalue > 0.01


def test_quasirandom_points_leave_smaller_gaps_than_random_ones() -> None:
    largest = {}
    for name in ("random", "quasirandom"):
        rates = np.log10([each["optimizer.lr"] for each in drawn(sampler(ALL, name), 64)])
        largest[name] = np.diff(np.sort(rates)).max()
    assert largest["quasirandom"] < 2 * 4 / 64 < largest["random"]


@pytest.mark.parametrize("name", ["tpe", "cmaes"])
def test_a_sampler_that_learns_draws_nearer_to_good_results(name: str) -> None:
    history = observed(sampler(NUMBERS), 60)
    made = sampler(NUMBERS, name)
    near = [next(made.candidates(history, number)) for number in range(60, 100)]
    assert np.median([values["model.width"] for values in near]) > 45
    rates = np.log10([values["optimizer.lr"] for values in near])
    assert np.median(np.abs(rates + 2)) < 0.8  # of 1.0 if nothing were learned


def test_paused_trials_rank_below_whole_ones_and_by_the_epoch_they_reached() -> None:
    values = {"optimizer.lr": 0.1}
    whole, late, early = (
        Observation(values, accuracy, 1.0, epoch)
        for accuracy, epoch in ((0.3, None), (0.2, 6), (0.5, 2))
    )
    assert sorted([late, whole, early], key=lambda o: o.rank) == [early, late, whole]
    trials = make_study(Space((LR,)), [whole, late, early]).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "PRUNED", "PRUNED"]
    assert trials[1].intermediate_values == {6: 0.2}
    both = make_study(Space((LR,)), [whole, late], minimizes_pflop=True)
    assert [trial.values for trial in both.trials] == [[0.3, 1.0]]


def test_an_option_that_was_searched_alone_keeps_its_own_range() -> None:
    optimizer = Dimension("optimizer", "choice", choices=("sgd", "adam"))
    rate = Dimension("optimizer.lr", "float", 1e-5, 1e-3, is_log=True, when=("optimizer", "adam"))
    momentum = Dimension("optimizer.momentum", "float", 0.5, 1.0, when=("optimizer", "sgd"))
    space = Space((optimizer, rate, momentum))
    history = [Observation(v, i / 30, 1.0) for i, v in enumerate(drawn(sampler(space), 30))]
    for number in range(30, 40):
        values = next(sampler(space, "tpe").candidates(history, number))
        other = {"sgd": "optimizer.momentum", "adam": "optimizer.lr"}[values["optimizer"]]
        assert set(values) == {"optimizer", other}


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (ALL, "it cannot search model.activation, only ranges that all runs have"),
        (
            Space((LR, replace(WIDTH, when=("model", "wide")))),
            "it cannot search model.width (model=wide), only ranges that all runs have",
        ),
        (Space((LR,)), "it cannot search a single dimension"),
    ],
)
def test_cmaes_refuses_what_it_cannot_search(space: Space, sentence: str) -> None:
    expected = f"^search=cmaes: {re.escape(sentence)}; search=tpe can$"
    with pytest.raises(UserError, match=expected):
        sampler(space, "cmaes")


def test_cmaes_refuses_a_second_objective() -> None:
    expected = (
        "^search=cmaes: it cannot search for accuracy_and_pflop; "
        "search=random or search=tpe or search=quasirandom can$"
    )
    with pytest.raises(UserError, match=expected):
        sampler(NUMBERS, "cmaes", objective="accuracy_and_pflop")


def test_a_prior_is_proposed_first_and_draws_part_of_the_others_near_it() -> None:
    space = Space((replace(LR, prior=0.1), WIDTH, replace(ACTIVATION, prior="silu")))
    first = next(sampler(space, "tpe").candidates((), 0))
    assert (first["optimizer.lr"], first["model.activation"]) == (0.1, "silu")
    share = {}
    for number in (1, 90):
        seeds = range(600)
        values = [next(sampler(space, seed=seed).candidates((), number)) for seed in seeds]
        share[number] = np.mean([each["model.activation"] == "silu" for each in values])
        widths = [each["model.width"] for each in values]  # it has no prior
        _, counts = np.unique(widths, return_counts=True)
        assert stats.chisquare(counts).pvalue > 0.01
    # 1/3 of those that are not near it, 1/2 + 1/6 of those that are: 5/11 and 1/20 of all
    assert share[1] == pytest.approx(1 / 3 + 5 / 11 / 3, abs=0.05)
    assert share[90] == pytest.approx(1 / 3 + 1 / 20 / 3, abs=0.05)


def test_a_prior_on_a_group_brings_the_dimensions_of_its_option() -> None:
    group = Dimension("optimizer", "choice", choices=("sgd", "adam"), prior="adam")
    rates = (
        replace(LR, when=("optimizer", "sgd")),
        replace(LR, low=1e-5, high=1e-3, when=("optimizer", "adam")),
    )
    for values in drawn(sampler(Space((group, *rates))), 60):
        highest = {"sgd": 1.0, "adam": 1e-3}[values["optimizer"]]
        assert values["optimizer.lr"] <= highest


@pytest.mark.parametrize("dimension", ALL.dimensions, ids=lambda d: d.key)
def test_a_value_is_found_again_from_its_place_in_the_unit_interval(dimension: Dimension) -> None:
    for share in np.linspace(0, 0.999, 50):
        value = from_unit(dimension, share)
        assert dimension.contains(value)
        again = from_unit(dimension, to_unit(dimension, value))
        assert again == (pytest.approx(value, rel=1e-5) if dimension == LR else value)
    ends = (from_unit(dimension, 0.0), from_unit(dimension, 1.0))
    expected = (dimension.low, dimension.high) if dimension.low is not None else ("relu", None)
    assert ends == expected
