"""The model of cell means with seeds as a block, compared with statsmodels and simulations."""

from typing import Any

import numpy as np
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from cifar_exp.analysis.statistics.comparisons import compare_with_baseline

LEVELS = {"width": "8 16 32", "dropout": "0.0 0.1 0.2"}


def pair(model: Any) -> np.ndarray:
    weights = np.zeros((1, len(model.names)))
    weights[0, :2] = -1, 1
    return weights


def test_with_the_same_seeds_everywhere_means_are_plain_means(study: Any, grid: Any) -> None:
    found = study(grid(**LEVELS))
    wanted = found.counted.groupby("configuration", sort=False)["value"].mean()
    np.testing.assert_allclose(found.model.means, wanted[found.model.names], rtol=1e-12)


@pytest.mark.slow
def test_with_lost_runs_means_are_those_of_a_mixed_model(study: Any, grid: Any) -> None:
    """The seeds' variance is estimated another way here (moments) than there (REML)."""
    frame = grid(seeds=range(8), sd=0.004, stream=5, **LEVELS)
    shift = np.random.default_rng(6).normal(0, 0.01, 8)
    frame["value"] += shift[frame["seed"]]
    kept = frame.drop(index=frame.sample(25, random_state=1).index).reset_index(drop=True)
    found = study(kept)
    scaled = found.counted.assign(y=100 * found.counted["value"])
    mixed = smf.mixedlm("y ~ 0 + configuration", scaled, groups=scaled["seed"]).fit()
    wanted = [mixed.fe_params[f"configuration[{name}]"] for name in found.model.names]
    np.testing.assert_allclose(100 * found.model.means, wanted, atol=0.02)
    plain = scaled.groupby("configuration", sort=False)["y"].mean()[found.model.names]
    assert np.abs(plain - wanted).max() > 0.2  # where seeds are ignored


def test_each_runs_weights_give_the_contrast_of_means(study: Any, grid: Any) -> None:
    frame = grid(seeds=range(4), stream=2, **LEVELS)
    frame["value"] += 0.02 * frame["seed"]
    model = study(frame.drop(index=[3, 17, 30]).reset_index(drop=True)).model
    assert model.strata.seed_ratio > 1
    contrasts = np.array([[1.0, -1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0.5, 0.5, 0, 0, -1, 0, 0]])
    by_run = model.weights(contrasts) @ model.observations.values
    np.testing.assert_allclose(by_run, contrasts @ model.means, atol=1e-12)


def test_a_difference_of_two_configurations_with_shared_seeds_is_judged_in_pairs(
    study: Any, grid: Any
) -> None:
    found = study(grid(seeds=range(5), width="8 16"))
    first, second = (found.values_of(name) for name in found.model.names)
    variance = found.model.variance(pair(found.model))
    wanted = stats.ttest_rel(second, first)
    difference = found.model.means[1] - found.model.means[0]
    assert difference / variance.errors[0] == pytest.approx(wanted.statistic)
    assert variance.df[0] == wanted.df


def test_a_difference_of_two_configurations_without_shared_seeds_is_judged_by_all_runs(
    study: Any, grid: Any
) -> None:
    frame = grid(seeds=range(9), width="8 16")
    kept = frame[(frame["width"] == "8") == (frame["seed"] < 4)].reset_index(drop=True)
    found = study(kept)
    first, second = (found.values_of(name) for name in found.model.names)
    assert (len(first), len(second)) == (4, 5)
    variance = found.model.variance(pair(found.model))
    wanted = stats.ttest_ind(second, first)
    difference = found.model.means[1] - found.model.means[0]
    assert difference / variance.errors[0] == pytest.approx(wanted.statistic)
    assert variance.df[0] == wanted.df


def test_two_shared_seeds_of_ten_do_not_throw_the_other_runs_away(study: Any, grid: Any) -> None:
    frame = grid(seeds=range(18), effect=lambda w: 0.51 if w == "8" else 0.525, width="8 16")
    is_kept = np.where(frame["width"] == "8", frame["seed"] < 10, frame["seed"] >= 8)
    kept = frame[is_kept].reset_index(drop=True)
    found = compare_with_baseline(study(kept).model, "width=8")
    first, second = (kept.loc[kept["width"] == w, "value"] for w in ("8", "16"))
    assert found.means == pytest.approx([second.mean() - first.mean()])
    assert found.differences.p_values[0] == pytest.approx(
        stats.ttest_ind(second, first).pvalue, rel=0.05
    )


@pytest.mark.slow
def test_variances_are_right_on_average_where_seeds_are_shared_in_part(
    study: Any, grid: Any
) -> None:
    """Of the effect of a width whose seeds are its own, the seeds' variance is a part."""
    frame = grid(seeds=range(3), **LEVELS)
    frame["seed"] += frame["width"].map({"8": 0, "16": 2, "32": 4})
    random = np.random.default_rng(8)
    estimates, variances = [], []
    for _ in range(300):
        shift = random.normal(0, 0.01, 7)
        frame["value"] = 0.5 + shift[frame["seed"]] + random.normal(0, 0.005, len(frame))
        made = study(frame)
        weights = np.array([contrast.weights for contrast in made.main])[:1]
        estimates.append((weights @ made.model.means)[0])
        variances.append(made.model.variance(weights).values[0])
    assert np.mean(variances) == pytest.approx(np.var(estimates), rel=0.3)


def test_uneven_scatter_gives_each_difference_its_own_variance(study: Any, grid: Any) -> None:
    frame = grid(seeds=range(6), width="8 16 32")
    sds = frame["width"].map({"8": 0.1, "16": 1, "32": 5})
    centered = frame["value"] - frame.groupby("width")["value"].transform("mean")
    found = study(frame.assign(value=0.5 + centered * sds))
    assert found.model.scatter.is_uneven
    first, second = (found.values_of(name) for name in found.model.names[:2])
    own = found.model.own_variance(np.array([[-1.0, 1.0, 0.0]]))
    wanted = stats.ttest_ind(second, first, equal_var=False)
    assert own.df[0] == pytest.approx(wanted.df)
    assert own.values[0] == pytest.approx(first.var(ddof=1) / 6 + second.var(ddof=1) / 6)


def test_even_scatter_has_no_second_variance(study: Any, grid: Any) -> None:
    assert study(grid(**LEVELS)).model.own_variance(np.ones((1, 9))) is None


def test_the_variance_of_a_mean_contains_that_of_the_seeds(study: Any, grid: Any) -> None:
    frame = grid(seeds=range(40), sd=0.004, **LEVELS)
    frame["value"] += np.random.default_rng(0).normal(0, 0.01, 40)[frame["seed"]]
    variance = study(frame).model.mean_variance()
    assert variance.values[0] == pytest.approx((0.004**2 + 0.01**2) / 40, rel=0.3)


def test_a_configuration_alone_has_the_interval_of_a_sample(study: Any, grid: Any) -> None:
    found = study(grid(seeds=range(5), width="8"))
    variance = found.model.mean_variance()
    sample = found.counted["value"]
    assert variance.errors[0] == pytest.approx(stats.sem(sample))
    assert variance.df[0] == 4


def test_one_seed_each_in_a_single_factor_leaves_no_estimate(study: Any, grid: Any) -> None:
    model = study(grid(seeds=[0], width="8 16 32")).model
    assert np.isnan(model.variance(np.array([[1.0, -1, 0]])).values).all()
    assert np.isnan(model.mean_variance().values).all()


def test_values_without_any_scatter_leave_no_estimate(study: Any, grid: Any) -> None:
    model = study(grid(sd=0.0, seeds=[0, 1], **LEVELS)).model
    assert np.isnan(model.variance(np.eye(9)[:1] - np.eye(9)[1:2]).values).all()
