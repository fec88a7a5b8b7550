"""Scatter within configurations and Bartlett's test, compared with scipy's."""

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.scatter import Scatter, within_configurations


def scatter(*samples: np.ndarray) -> Scatter:
    counts = np.array([len(sample) for sample in samples])
    return within_configurations(
        np.concatenate(samples), np.repeat(np.arange(len(samples)), counts), counts
    )


def samples(*sds: float, sizes: tuple[int, ...] = (5,)) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(0.5, sd, sizes[i % len(sizes)]) for i, sd in enumerate(sds)]


@pytest.mark.parametrize("sizes", [(5,), (3, 7, 12)])
def test_the_test_of_equal_scatter_is_bartletts(sizes: tuple[int, ...]) -> None:
    own = samples(0.01, 0.02, 0.03, sizes=sizes)
    assert scatter(*own).p == pytest.approx(stats.bartlett(*own).pvalue)


def test_variances_are_pooled_by_their_degrees_of_freedom() -> None:
    own = samples(0.01, 0.02, sizes=(3, 9))
    found = scatter(*own)
    np.testing.assert_allclose(found.variances, [x.var(ddof=1) for x in own])
    assert found.total_df == 10
    assert found.pooled == pytest.approx((2 * own[0].var(ddof=1) + 8 * own[1].var(ddof=1)) / 10)


def test_very_different_scatters_are_uneven_and_similar_ones_are_not() -> None:
    assert scatter(*samples(0.001, 0.02, 0.03)).is_uneven
    assert not scatter(*samples(0.02, 0.02, 0.02)).is_uneven


def test_two_seeds_each_are_too_few_to_call_scatters_uneven() -> None:
    found = scatter(*samples(0.0001, 0.1, 0.1, sizes=(2,)))
    assert np.isnan(found.p)
    assert not found.is_uneven


def test_one_seed_each_has_no_scatter() -> None:
    found = scatter(*samples(0.01, 0.01, sizes=(1,)))
    assert found.total_df == 0
    assert np.isnan(found.pooled)


def test_a_configuration_whose_runs_are_all_equal_makes_scatter_uneven() -> None:
    found = scatter(np.full(5, 0.5), *samples(0.02, 0.02))
    assert found.is_uneven
    assert found.variances[0] == 0
