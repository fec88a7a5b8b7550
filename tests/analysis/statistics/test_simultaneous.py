"""Simultaneous p values and critical values, compared with scipy's and statsmodels' own."""

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.simultaneous import (
    MOST_DRAWN,
    Differences,
    against_one,
    all_pairs,
    correlated,
    independent,
    single,
)


def one(value: float) -> np.ndarray:
    return np.array([value])


@pytest.mark.parametrize("df", [2, 4, 16.5, 200])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01])
def test_a_single_difference_has_the_critical_value_of_students_t(df: float, alpha: float) -> None:
    found = single().critical(one(df), alpha)
    np.testing.assert_allclose(found, stats.t.isf(alpha / 2, df), rtol=1e-4)


@pytest.mark.parametrize("df", [2, 4, 16, 200])
@pytest.mark.parametrize("count", [2, 3, 9, 40])
def test_all_pairs_have_the_critical_value_of_the_studentized_range(count: int, df: int) -> None:
    found = all_pairs(count).critical(one(df), 0.05)
    wanted = stats.studentized_range.isf(0.05, count, df) / 2**0.5
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


def test_p_values_of_all_pairs_are_those_of_tukeys_test() -> None:
    samples = np.random.default_rng(0).normal([0, 0.5, 1.5, 2.5], 1, (5, 4)).T
    error = np.mean([sample.var(ddof=1) for sample in samples])
    t = np.abs(samples.mean(axis=1)[:, None] - samples.mean(axis=1)) / np.sqrt(error * 2 / 5)
    first, second = np.triu_indices(4, 1)
    wanted = stats.tukey_hsd(*samples).pvalue[first, second]
    found = all_pairs(4).p_values(t[first, second], np.array(16.0))
    np.testing.assert_allclose(found, wanted, atol=5e-4)


@pytest.mark.parametrize("counts", [(5, 5, 5, 5), (12, 4, 4, 7)])
def test_comparisons_with_one_are_those_of_dunnetts_test(counts: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    control, *others = (random.normal(0.4 * i, 1, n) for i, n in enumerate(counts))
    df = sum(counts) - len(counts)
    error = sum(((x - x.mean()) ** 2).sum() for x in (control, *others)) / df
    t = [
        abs(x.mean() - control.mean()) / np.sqrt(error * (1 / len(x) + 1 / len(control)))
        for x in others
    ]
    shares = np.array([1 / (1 + len(control) / len(x)) for x in others])
    wanted = stats.dunnett(*others, control=control, random_state=0).pvalue
    found = against_one(shares, is_two_sided=True).p_values(np.array(t), np.array(float(df)))
    np.testing.assert_allclose(found, wanted, atol=4e-3)


def test_correlated_statistics_follow_the_multivariate_t_distribution() -> None:
    correlation = np.array([[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 1]])
    critical = float(correlated(correlation).critical(one(8), 0.05)[0])
    joint = stats.multivariate_t(shape=correlation, df=8, seed=0)
    within = joint.cdf(np.full(3, critical), lower_limit=np.full(3, -critical), maxpts=200_000)
    assert within == pytest.approx(0.95, abs=0.002)


def test_one_sided_comparisons_with_one_follow_the_multivariate_t_distribution() -> None:
    family = against_one(np.full(4, 0.5), is_two_sided=False)
    critical = float(family.critical(one(10), 0.05)[0])
    shape = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    below = stats.multivariate_t(shape=shape, df=10, seed=0).cdf(np.full(4, critical))
    assert below == pytest.approx(0.95, abs=0.002)


def test_too_many_statistics_to_draw_are_treated_as_independent() -> None:
    many = MOST_DRAWN + 1
    wanted = independent(many).critical(one(20), 0.05)
    assert correlated(np.eye(many)).critical(one(20), 0.05) == wanted


def test_independent_statistics_follow_sidaks_rule_where_the_scale_is_known() -> None:
    found = independent(9).critical(one(1e7), 0.05)
    np.testing.assert_allclose(found, stats.norm.isf((1 - 0.95 ** (1 / 9)) / 2), rtol=1e-3)


def test_a_very_small_p_value_is_bonferronis() -> None:
    found = against_one(np.full(8, 0.5), is_two_sided=True).p_values(one(12), np.array(16.0))
    np.testing.assert_allclose(found, 8 * 2 * stats.t.sf(12, 16), rtol=1e-6)


def test_p_values_never_rise_with_the_statistic() -> None:
    family = correlated(np.full((6, 6), 0.3) + 0.7 * np.eye(6))
    p = family.p_values(np.linspace(0, 20, 2000), np.array(5.0))
    assert (np.diff(p) <= 1e-12).all()


def test_without_degrees_of_freedom_nothing_is_known() -> None:
    family = all_pairs(3)
    assert np.isnan(family.critical(one(np.nan), 0.05)).all()
    assert np.isnan(family.p_values(one(3), one(np.nan))).all()


def test_the_wider_of_two_estimates_counts() -> None:
    means, errors, df = np.array([1.0, 1.0]), np.array([0.2, 0.2]), np.array([16.0, 16.0])
    wider = np.array([0.1, 0.9]), np.array([2.0, 2.0])
    plain, both = (Differences(single(), means, errors, df, second) for second in (None, wider))
    half = both.half_widths(0.05)
    np.testing.assert_allclose(half[0], 0.1 * stats.t.isf(0.025, 2), rtol=1e-4)
    np.testing.assert_allclose(half[1], 0.9 * stats.t.isf(0.025, 2), rtol=1e-4)
    assert (both.p_values >= plain.p_values).all()
    assert both.p_values[1] == pytest.approx(2 * stats.t.sf(1 / 0.9, 2), rel=1e-3)
