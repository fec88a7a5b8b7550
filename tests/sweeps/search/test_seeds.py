"""Which configuration gets a further seed."""

import numpy as np
import pytest

from cifar_exp.sweeps.search.seeds import Entrant, best_open, noise_sd


def entrant(*accuracies: float, is_open: bool = True, pflop: float = 1.0) -> Entrant:
    return Entrant(dict(enumerate(accuracies)), pflop, is_open)


def test_without_results_none_gets_a_further_seed() -> None:
    assert best_open([]) is None
    assert best_open([entrant(), entrant(0.5, is_open=False)]) is None


def test_the_best_one_is_first_and_hopeless_ones_get_none() -> None:
    whole = entrant(0.50, 0.51, 0.49, is_open=False)
    assert best_open([whole, entrant(0.40), entrant(0.52), entrant(0.51)]) == 2
    assert best_open([whole, entrant(0.40)]) is None


def test_one_standard_error_behind_on_common_seeds_still_keeps_up() -> None:
    whole = entrant(0.50, 0.52, 0.51, is_open=False)
    sd = np.std([0.50, 0.52, 0.51], ddof=1)
    assert noise_sd([whole, entrant(0.4)]) == pytest.approx(sd)
    behind = sd * np.sqrt(2)
    assert best_open([whole, entrant(0.50 - 0.99 * behind)]) == 1
    assert best_open([whole, entrant(0.50 - 1.01 * behind)]) is None
    # seed 1 is a good one: two seeds that are as good alone are behind on seeds 0 and 1
    assert best_open([whole, entrant(0.48, 0.50)]) is None


def test_against_pflop_a_cheap_configuration_does_not_race_an_expensive_one() -> None:
    field = [entrant(0.6, is_open=False, pflop=3.0), entrant(0.4, pflop=1.0)]
    assert best_open(field) is None
    assert best_open(field, by_cost=True) == 1
    assert best_open([*field, entrant(0.5, is_open=False, pflop=1.0)], by_cost=True) is None


def test_noise_is_pooled_over_configurations_with_several_seeds() -> None:
    assert noise_sd([entrant(0.5), entrant(0.2)]) is None
    pooled = noise_sd([entrant(0.5, 0.6), entrant(0.2, 0.3, 0.4), entrant(0.9)])
    expected = np.sqrt((np.var([0.5, 0.6], ddof=1) + 2 * np.var([0.2, 0.3, 0.4], ddof=1)) / 3)
    assert pooled == pytest.approx(expected)
