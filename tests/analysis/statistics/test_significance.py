"""Differences, their intervals and their power, compared with scipy, statsmodels, integrals."""

import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from cifar_exp.analysis.statistics.comparisons import with_verdicts
from cifar_exp.analysis.statistics.significance import (
    difference,
    holm,
    mean_interval,
    paired,
    resolvable_effect,
    seeds_needed,
)

A = pd.Series([0.61, 0.63, 0.64, 0.60], index=[0, 1, 2, 3])
B = pd.Series([0.60, 0.60, 0.62, 0.61], index=[3, 2, 1, 0])


def test_runs_of_the_same_seed_are_subtracted_from_each_other() -> None:
    found = difference(A, B)
    expected = stats.ttest_rel(A, B.sort_index())
    interval = expected.confidence_interval(0.95)
    assert (found.n, found.is_paired) == (4, True)
    assert found.mean == pytest.approx(0.0125)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.probability == (2 + 0.5 * 2) / 4  # ahead twice, level twice


def test_seeds_that_only_one_side_has_are_not_paired() -> None:
    found = difference(A, B.drop(0))
    assert found.n == 3
    assert found.p == pytest.approx(stats.ttest_rel([0.63, 0.64, 0.60], [0.62, 0.60, 0.60]).pvalue)


def test_without_shared_seeds_it_is_welchs_test() -> None:
    other = pd.Series([0.50, 0.55, 0.57], index=[10, 11, 12])
    found = difference(A, other)
    expected = stats.ttest_ind(A, other, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.n, found.is_paired) == (3, False)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    pairs = stats.mannwhitneyu(A, other).statistic / 12
    assert found.probability == pytest.approx(pairs)


@pytest.mark.parametrize(("seed", "mean"), [(5, 0.12), (0, 0.11)])
def test_one_value_gives_a_difference_without_an_error(seed: int, mean: float) -> None:
    found = difference(A, pd.Series([0.5], index=[seed]))
    assert found.mean == pytest.approx(mean)  # from the mean of all, or from the seed's own
    assert all(math.isnan(value) for value in (found.sd, found.low, found.high, found.p))


@pytest.mark.parametrize("values", [[0.01, 0.01], [0.0, 0.0, 0.0], [0.1, 0.3 - 0.2]])
def test_equal_differences_have_no_interval(values: list[float]) -> None:
    found = paired(values)
    assert found.mean == pytest.approx(values[0])
    assert all(math.isnan(value) for value in (found.low, found.high, found.p))


@pytest.mark.slow
def test_noise_in_whole_images_is_rarely_significant() -> None:
    random = np.random.default_rng(2)  # two seeds, 500 images: equal differences are common
    significant = 0
    for _ in range(150):
        counts = random.binomial(500, 0.5, (9, 2)) / 500
        corrected = holm([paired(row - counts[0]).p for row in counts[1:]])
        significant += bool((corrected < 0.05).any())
    assert significant / 150 <= 0.07


@pytest.mark.parametrize("n", [5, 10, 30, 200])
def test_the_resolvable_effect_has_the_power_that_statsmodels_gives_it(n: int) -> None:
    power = TTestPower().power(resolvable_effect(n), n, 0.05)
    assert power == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_resolvable_effect_of_few_seeds_has_the_power_of_the_integral(n: int) -> None:
    critical, shift = stats.t.ppf(0.975, n - 1), resolvable_effect(n) * n**0.5

    def density(scale: float) -> float:
        bound = critical * scale / (n - 1) ** 0.5
        return float(stats.chi.pdf(scale, n - 1) * stats.norm.sf(bound - shift))

    assert integrate.quad(density, 0, np.inf)[0] == pytest.approx(0.8, abs=1e-4)


def test_many_comparisons_at_once_need_larger_differences() -> None:
    differences = pd.DataFrame([asdict(paired(np.array([0.0, 1.0, 2.0]) + i)) for i in range(8)])
    found = with_verdicts(differences)
    alone = with_verdicts(differences[:1])
    assert alone["resolvable"].tolist() == pytest.approx([resolvable_effect(3)])
    assert found["resolvable"].tolist() == pytest.approx([resolvable_effect(3, 0.05 / 8)] * 8)
    assert found["needed"][0] > alone["needed"][0]
    is_open = ~found["is_resolved"]
    assert (found["needed"][is_open] > found["n"][is_open]).all()


def test_the_power_is_that_of_simulated_experiments() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(resolvable_effect(3), 1, (4000, 3))
    significant = stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05
    assert significant.mean() == pytest.approx(0.8, abs=0.03)


def test_the_seeds_needed_detect_the_effect_and_one_fewer_does_not() -> None:
    for effect in (0.2, 0.5, 1.0, 3.0):
        needed = int(seeds_needed(effect))
        assert resolvable_effect(needed) <= effect
        assert needed == 2 or resolvable_effect(needed - 1) > effect
    assert seeds_needed(100.0) == 2
    assert seeds_needed(0.01) == seeds_needed(0.0) == math.inf


def test_holm_corrects_as_statsmodels_does() -> None:
    random = np.random.default_rng(0)
    for n in (1, 2, 7, 40):
        values = random.uniform(0, 0.3, n).round(2)  # rounded: some are equal
        assert holm(values.tolist()).tolist() == multipletests(values, method="holm")[1].tolist()


def test_holm_corrects_by_hand_and_leaves_gaps_alone() -> None:
    corrected = holm([0.01, math.nan, 0.04, 0.03])
    # smallest times three, the next times two, the largest not below the one before
    assert corrected[[0, 2, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(corrected[1])


def test_the_interval_of_a_mean_is_students_and_missing_for_one_value() -> None:
    values = np.array([0.3, 0.4, 0.45])
    expected = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert mean_interval(values) == pytest.approx(expected)
    assert all(math.isnan(bound) for bound in mean_interval(values[:1]))


def test_noise_is_significant_in_5_percent_of_the_cases() -> None:
    random = np.random.default_rng(1)
    p_values = [paired(random.normal(0, 1, 3)).p for _ in range(2000)]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.015)
