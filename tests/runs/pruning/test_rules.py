"""The rules against what their definitions say, worked out value by value."""

import random
from collections.abc import Sequence
from typing import get_args

import pytest

from cifar_exp.config.pruning import PruningSection, Rule
from cifar_exp.runs.pruning.asha import Asha
from cifar_exp.runs.pruning.base import Standing
from cifar_exp.runs.pruning.median import Median
from cifar_exp.runs.pruning.registry import RULES, make_rule
from cifar_exp.runs.pruning.top_k import TopK

DRAWS = [
    [round(random.Random(seed).random(), 1) for _ in range(1 + seed % 17)] for seed in range(60)
]


def standings(values: Sequence[float]) -> list[Standing]:
    """Of each run, the first one listed first among equals."""
    named = {f"run {index}": value for index, value in enumerate(values)}
    found = Standing.of_all(named)
    return [found[run_id] for run_id in named]


def ahead(values: Sequence[float], index: int) -> int:
    """How many are better, or equal and listed before."""
    own = values[index]
    return sum(v > own for v in values) + sum(v == own for v in values[:index])


@pytest.mark.parametrize("values", DRAWS)
def test_a_standing_tells_a_run_from_the_others(values: list[float]) -> None:
    for index, standing in enumerate(standings(values)):
        assert standing.rank == ahead(values, index)
        assert standing.own == values[index]
        assert sorted(standing.others) == sorted(values[:index] + values[index + 1 :])


@pytest.mark.parametrize("values", DRAWS)
def test_asha_lets_a_third_of_a_rung_go_on_rounded_down(values: list[float]) -> None:
    rule = Asha(grace=1, reduction=3)
    for index, standing in enumerate(standings(values)):
        assert rule.goes_on(standing) == (3 * (ahead(values, index) + 1) <= len(values))
        assert rule.promotes(standing, None) == rule.promotes(standing, 5) == rule.goes_on(standing)


@pytest.mark.parametrize("values", DRAWS)
def test_when_no_more_runs_come_asha_lets_the_best_of_a_rung_go_on(values: list[float]) -> None:
    rule = Asha(grace=1, reduction=3)
    promoted = [rule.promotes(standing, 0) for standing in standings(values)]
    assert sum(promoted) == max(1, len(values) // 3)
    assert promoted[values.index(max(values))]


@pytest.mark.parametrize(
    ("grace", "reduction", "epochs", "rungs"),
    [(1, 3, 8, [1, 3]), (1, 3, 9, [1, 3]), (1, 3, 10, [1, 3, 9]), (2, 4, 40, [2, 8, 32])],
)
def test_the_rungs_of_asha_lie_below_the_last_epoch(
    grace: int, reduction: int, epochs: int, rungs: list[int]
) -> None:
    rule = Asha(grace, reduction)
    assert [e for e in range(1, epochs + 1) if rule.applies(e, epochs)] == rungs


@pytest.mark.parametrize("values", DRAWS)
def test_the_median_rule_pauses_what_is_worse_than_half_of_at_least_five_others(
    values: list[float],
) -> None:
    rule = Median(grace=2)
    for index, standing in enumerate(standings(values)):
        others = sorted(values[:index] + values[index + 1 :])
        middle = (others[(len(others) - 1) // 2] + others[len(others) // 2]) / 2 if others else 0
        assert rule.goes_on(standing) == (len(others) < 5 or values[index] >= middle)
        assert not rule.promotes(standing, 0)


def test_the_median_rule_is_asked_from_the_grace_epochs_to_the_last_but_one() -> None:
    assert [e for e in range(1, 6) if Median(grace=2).applies(e, 5)] == [2, 3, 4]


@pytest.mark.parametrize("values", DRAWS)
@pytest.mark.parametrize("more", [0, 1, 4])
def test_top_k_promotes_what_stays_among_the_best_whatever_comes(
    values: list[float], more: int
) -> None:
    rule = TopK(grace=1, top=3)
    for index, standing in enumerate(standings(values)):
        worst_case = values + [2.0] * more
        assert rule.promotes(standing, more) == (ahead(worst_case, index) < 3)
        assert not rule.goes_on(standing)
        assert not rule.promotes(standing, None)


def test_top_k_is_asked_once() -> None:
    assert [e for e in range(1, 6) if TopK(grace=2, top=3).applies(e, 5)] == [2]
    assert not TopK(grace=5, top=3).applies(5, 5)


def test_each_rule_of_the_settings_is_made_under_its_name() -> None:
    names = set(get_args(get_args(Rule)[0]))
    assert names == {*RULES, "none"}
    for name in RULES:
        rule = make_rule(PruningSection.model_validate({"name": name}))
        assert rule is not None
        assert rule.name == name
    assert make_rule(PruningSection()) is None


@pytest.mark.parametrize(
    ("rule", "epochs", "text"),
    [
        (Asha(1, 3), 8, "after epochs 1 and 3 of 8 the best 1/3 go on"),
        (Asha(1, 3), 20, "after epochs 1, 3 and 9 of 20 the best 1/3 go on"),
        (Asha(2, 4), 8, "after epoch 2 of 8 the best 1/4 go on"),
        (Median(2), 8, "from epoch 2 of 8 on, runs below the others' median are paused"),
        (TopK(1, 1), 8, "after epoch 1 of 8 the best configuration goes on"),
        (TopK(1, 3), 8, "after epoch 1 of 8 the best 3 configurations go on"),
    ],
)
def test_a_rule_describes_itself(rule: Asha | Median | TopK, epochs: int, text: str) -> None:
    assert rule.describe(epochs) == text
