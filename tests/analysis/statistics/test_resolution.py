"""What seeds would resolve, compared with the power of a t test and with simulation."""

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.resolution import (
    MOST_SEEDS,
    resolution,
    resolvable,
    seeds_for,
)
from cifar_exp.analysis.statistics.simultaneous import all_pairs, single

SD = 0.005


@pytest.mark.parametrize("seeds", [2, 3, 5, 20])
def test_the_difference_of_two_is_that_which_a_t_test_finds_four_times_in_five(seeds: int) -> None:
    """Each configuration has a sample of its own, with the degrees of freedom of the residual."""
    size = resolvable(SD, seeds, 2, single())
    shift = size / SD / (2 / seeds) ** 0.5
    power = stats.nct.sf(stats.t.isf(0.025, seeds - 1), seeds - 1, shift)
    assert power == pytest.approx(0.8, abs=0.002)


def test_a_difference_of_that_size_is_found_four_times_in_five_among_all_pairs() -> None:
    count, seeds, n = 6, 4, 40_000
    size = resolvable(SD, seeds, count, all_pairs(count))
    df = (count - 1) * (seeds - 1)
    random = np.random.default_rng(0)
    found = size + SD * (2 / seeds) ** 0.5 * random.normal(size=n)
    errors = SD * np.sqrt(random.chisquare(df, n) / df * 2 / seeds)
    critical = stats.studentized_range.isf(0.05, count, df) / 2**0.5
    assert (found / errors > critical).mean() == pytest.approx(0.8, abs=0.01)


def test_more_seeds_resolve_smaller_differences() -> None:
    table = resolution(SD, 9, all_pairs(9))
    assert (np.diff(table["resolvable"]) < 0).all()
    assert table["seeds"].is_monotonic_increasing


@pytest.mark.parametrize("size", [0.003, 0.005, 0.02])
def test_the_fewest_seeds_for_a_size_are_those_that_resolve_it(size: float) -> None:
    family = all_pairs(9)
    seeds = int(seeds_for(size, SD, 9, family))
    assert resolvable(SD, seeds, 9, family) <= size
    assert seeds == 2 or resolvable(SD, seeds - 1, 9, family) > size


def test_a_difference_that_a_thousand_seeds_do_not_resolve_takes_infinitely_many() -> None:
    assert resolvable(SD, MOST_SEEDS, 2, single()) > 1e-5
    assert np.isinf(seeds_for(1e-5, SD, 2, single()))


def test_without_scatter_nothing_is_said() -> None:
    assert resolution(float("nan"), 9, all_pairs(9)).empty
    assert resolution(0.0, 9, all_pairs(9)).empty
    assert np.isinf(seeds_for(0.01, float("nan"), 9, all_pairs(9)))
