"""Intervals of means: simultaneous, and within [0, 1] for fractions."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.intervals import bounded, mean_intervals
from cifar_exp.analysis.statistics.metric import METRICS

ACCURACY, LOSS = METRICS["val_accuracy"], METRICS["val_loss"]


def test_all_means_have_the_same_width_from_the_pooled_scatter(study: Any, grid: Any) -> None:
    low, high = mean_intervals(study(grid(width="8 16 32", dropout="0 1")).model, ACCURACY)
    np.testing.assert_allclose(high - low, (high - low)[0])


def test_a_configuration_alone_has_students_interval(study: Any, grid: Any) -> None:
    found = study(grid(seeds=range(6), width="8"))
    sample = found.counted["value"]
    low, high = mean_intervals(found.model, ACCURACY)
    wanted = stats.t.interval(0.95, 5, sample.mean(), stats.sem(sample))
    assert (low[0], high[0]) == pytest.approx(wanted, rel=1e-4)


def test_an_interval_of_accuracies_never_leaves_0_to_1() -> None:
    random = np.random.default_rng(0)
    means = np.concatenate([[0, 1, 0.0125, 0.5], random.uniform(0, 1, 500)])
    half = np.concatenate([[0.1, 0.1, 0.16, 2.0], random.exponential(0.5, 500)])
    low, high = bounded(means, half)
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert ((low <= means) & (means <= high)).all()


def test_an_interval_inside_0_to_1_is_symmetric() -> None:
    low, high = bounded(np.array([0.3]), np.array([0.1]))
    assert (low[0], high[0]) == pytest.approx((0.2, 0.4))


@pytest.mark.parametrize(("mean", "half"), [(0.02, 0.05), (0.9965, 0.022)])
def test_only_the_bound_that_would_leave_is_made_on_the_logit_scale(
    mean: float, half: float
) -> None:
    low, high = bounded(np.array([mean]), np.array([half]))
    logit, reach = np.log(mean / (1 - mean)), half / (mean * (1 - mean))
    lower, upper = 1 / (1 + np.exp(-(logit + np.array([-reach, reach]))))
    wanted = (lower, mean + half) if mean < 0.5 else (mean - half, upper)
    assert (low[0], high[0]) == pytest.approx(wanted)


def test_an_interval_of_a_loss_is_not_bounded(study: Any, grid: Any) -> None:
    frame = grid(effect=lambda _: 0.01, sd=0.5, width="8 16")
    low, _ = mean_intervals(study(frame).model, LOSS)
    assert (low < 0).all()


def test_two_seeds_that_are_all_equal_have_no_interval(study: Any, grid: Any) -> None:
    low, high = mean_intervals(study(grid(seeds=[0, 1], sd=0, width="8 16")).model, ACCURACY)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_one_seed_each_has_no_interval(study: Any, grid: Any) -> None:
    low, _ = mean_intervals(study(grid(seeds=[0], width="8 16", dropout="0 1")).model, ACCURACY)
    assert np.isnan(low).all()


def test_uneven_scatter_widens_the_interval_of_what_scatters_most(study: Any, grid: Any) -> None:
    frame = grid(seeds=range(6), width="8 16 32")
    factor = frame["width"].map({"8": 0.1, "16": 1, "32": 5})
    frame["value"] = 0.5 + (frame["value"] - 0.5) * factor
    low, high = mean_intervals(study(frame).model, ACCURACY)
    assert (high - low).argmax() == 2
    assert (high - low)[2] > 1.2 * (high - low)[0]


def test_one_configuration_with_equal_seeds_has_no_interval(outputs: Any) -> None:
    for seed in range(2):
        outputs.run(seed=seed, val=0.3162)
    row = outputs.statistics().summary.iloc[0]
    assert np.isnan([row["ci_low"], row["ci_high"]]).all()
