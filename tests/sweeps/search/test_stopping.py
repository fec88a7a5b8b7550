"""When a search stops because what is left to win is less than the noise."""

from collections.abc import Sequence
from typing import Any

import pytest

from cifar_exp.errors import UserError
from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.seeds import Entrant
from cifar_exp.sweeps.search.stopping import gained_by_second_half, noise_reached

NOISY = [Entrant({0: 0.500, 1: 0.504}, 1.0, False)] * 3  # SD 0.28 points


def seen(accuracies: Sequence[float], paused_at: int | None = None) -> list[Observation]:
    return [Observation({}, accuracy, 1.0, paused_at) for accuracy in accuracies]


def test_the_second_half_is_compared_with_the_best_of_the_first() -> None:
    assert gained_by_second_half(seen([0.5] * 39)) is None
    assert gained_by_second_half(seen([0.5] * 40)) == 0
    assert gained_by_second_half(seen([0.5] * 20 + [0.4] * 20)) == 0
    assert gained_by_second_half(seen([0.1, 0.5] * 10 + [0.4, 0.51] * 10)) == pytest.approx(0.01)


def test_paused_runs_count_as_tried_and_not_as_best() -> None:
    assert gained_by_second_half(seen([0.5] * 20) + seen([0.9] * 20, 3)) == 0
    assert gained_by_second_half(seen([0.9] * 20, 3) + seen([0.5] * 20)) is None


def test_a_search_goes_on_while_it_gains_more_than_the_noise_or_does_not_know_it() -> None:
    gains = seen([0.5] * 20 + [0.502] * 20)
    assert noise_reached(gains, NOISY) == (
        "no new runs: the second half of 40 configurations gained 0.20 points, "
        "less than seeds differ by (SD 0.28)"
    )
    assert noise_reached(seen([0.5] * 20 + [0.503] * 20), NOISY) is None
    assert noise_reached(gains, NOISY[:2]) is None
    assert noise_reached(gains, []) is None


def test_a_search_that_gains_nothing_stops_and_says_so(lab: Any) -> None:
    source = lab.source(runs=200, seeds=2, stop_at_noise=True)
    lab.drive(source, lambda params: 0.5 - 0.02 * params["seed"] - 0.1 * params["model.dropout"])
    assert len(source.configurations) == 40
    assert source.note.startswith("no new runs: the second half of 40 configurations gained 0.")


def test_the_noise_needs_seeds_and_one_objective(lab: Any) -> None:
    with pytest.raises(UserError, match=r"^search\.stop_at_noise=true: needs search\.seeds=2 or"):
        lab.source(stop_at_noise=True)
    with pytest.raises(UserError, match=r"^search\.stop_at_noise=true: goes with search\.obj"):
        lab.source(stop_at_noise=True, seeds=2, objective="accuracy_and_pflop")
