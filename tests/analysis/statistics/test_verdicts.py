"""Verdicts from differences, with and without a size that matters."""

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.analysis.statistics.simultaneous import Differences, single
from cifar_exp.analysis.statistics.verdicts import COLUMNS, Judgment, judge

ACCURACY, LOSS = METRICS["val_accuracy"], METRICS["val_loss"]
DF = 10.0


def differences(*means: float, error: float = 0.001) -> Differences:
    size = len(means)
    return Differences(single(), np.array(means), np.full(size, error), np.full(size, DF))


def verdicts(found: Differences, judgment: Judgment) -> list[str]:
    return list(judge(found, found.means, judgment, 0.05)["verdict"])


def test_without_a_size_that_matters_a_difference_is_better_worse_or_undecided() -> None:
    found = differences(0.01, -0.01, 0.0001)
    assert verdicts(found, Judgment(ACCURACY)) == ["better", "worse", "undecided"]


def test_of_a_loss_the_lower_one_is_better() -> None:
    found = differences(0.01, -0.01)
    assert verdicts(found, Judgment(LOSS)) == ["worse", "better"]


def test_an_interval_is_the_mean_and_what_students_t_gives_either_way() -> None:
    found = differences(0.01)
    row = judge(found, found.means, Judgment(ACCURACY), 0.05).iloc[0]
    half = 0.001 * stats.t.isf(0.025, DF)
    assert (row["low"], row["high"]) == pytest.approx((0.01 - half, 0.01 + half), rel=1e-4)
    assert row["p"] == pytest.approx(2 * stats.t.sf(10, DF), rel=1e-3)


def test_a_difference_is_equivalent_where_two_one_sided_tests_say_so() -> None:
    worth = 0.003
    for mean in (0.0, 0.0011, 0.0013, -0.0011, -0.0013):
        upper = stats.t.sf((worth - mean) / 0.001, DF)
        lower = stats.t.sf((mean + worth) / 0.001, DF)
        wanted = "equivalent" if max(upper, lower) < 0.05 else "undecided"
        assert verdicts(differences(mean), Judgment(ACCURACY, worth)) == [wanted]


def test_a_significant_difference_stays_better_even_if_it_is_smaller_than_what_matters() -> None:
    found = differences(0.003, error=0.0005)
    assert verdicts(found, Judgment(ACCURACY, worth=0.01)) == ["better"]


def test_without_an_estimate_of_the_scatter_everything_is_undecided() -> None:
    means = np.array([0.1, -0.1])
    table = judge(None, means, Judgment(ACCURACY, 0.5), 0.05)
    assert list(table.columns) == list(COLUMNS)
    assert table["verdict"].tolist() == ["undecided", "undecided"]
    assert table[["low", "high", "p"]].isna().all(axis=None)


def test_the_interval_of_a_difference_of_fractions_stays_within_one() -> None:
    found = differences(0.9, error=0.3)
    row = judge(found, found.means, Judgment(ACCURACY), 0.05).iloc[0]
    assert row["high"] == 1
    loss = judge(found, found.means, Judgment(LOSS), 0.05).iloc[0]
    assert loss["high"] > 1
