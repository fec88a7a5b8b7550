"""Planted effects are found, noise is not significant, values agree with other methods."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.anova import anova_lm

from cifar_exp.analysis.statistics.effects import marginal_means
from cifar_exp.analysis.statistics.importance import Importance


def frame_of(statistics: Any) -> pd.DataFrame:
    counted = statistics.counted
    columns = {"value": "value", "model.width": "w", "model.dropout": "d", "seed": "seed"}
    return counted[list(columns)].rename(columns=columns).astype({"w": str, "d": str})


def planted(width: int, dropout: float) -> float:
    return 0.4 + 0.05 * np.log2(width) - 0.3 * dropout - 0.1 * dropout * (width == 8)


def test_main_effects_are_averaged_over_the_other_factor_seed_by_seed(outputs: Any) -> None:
    outputs.grid(planted)
    statistics = outputs.statistics()
    table = frame_of(statistics)
    found = statistics.effects.set_index(["name", "level"])
    assert len(found) == 4
    by_seed = table.groupby(["w", "seed"])["value"].mean().unstack()
    expected = stats.ttest_rel(by_seed.loc["32"], by_seed.loc["8"])
    row = found.loc[("width", "32")]
    assert (row["n"], row["cells"], row["reference"]) == (3, 3, "8")
    assert row["mean"] == pytest.approx((by_seed.loc["32"] - by_seed.loc["8"]).mean())
    assert row["p"] == pytest.approx(expected.pvalue)
    assert row["p_holm"] >= row["p"]


def test_planted_effects_lie_in_their_intervals_and_are_significant(outputs: Any) -> None:
    outputs.grid(planted, seeds=5)
    found = outputs.statistics().effects.set_index(["name", "level"])
    truth = {
        ("width", "32"): 0.1 + 0.01,  # the mean over dropouts of the interaction's 0.1 d is 0.01
        ("width", "16"): 0.05 + 0.01,
        ("dropout", "0.2"): -0.06 - 0.02 / 3,
        ("dropout", "0.1"): -0.03 - 0.01 / 3,
    }
    for key, expected in truth.items():
        assert found.loc[key, "low"] <= expected <= found.loc[key, "high"]
        assert found.loc[key, "is_resolved"]


@pytest.mark.slow
def test_noise_alone_is_not_significant(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.5, noise=0.01)  # noqa: ARG005
    statistics = outputs.statistics()
    assert not statistics.effects["is_resolved"].any()
    assert not statistics.interactions["is_resolved"].any()
    assert not statistics.comparisons["is_resolved"].any()
    assert not statistics.importance.terms["is_resolved"].any()


def test_interactions_are_differences_of_differences(outputs: Any) -> None:
    outputs.grid(planted)
    statistics = outputs.statistics()
    cells = frame_of(statistics).pivot(index=["w", "d"], columns="seed", values="value")
    row = statistics.interactions.set_index(["level", "other_level"]).loc[("32", "0.2")]
    contrast = (cells.loc[("32", "0.2")] - cells.loc[("8", "0.2")]) - (
        cells.loc[("32", "0")] - cells.loc[("8", "0")]
    )
    assert row["mean"] == pytest.approx(contrast.mean())
    assert row["p"] == pytest.approx(stats.ttest_1samp(contrast, 0).pvalue)
    assert len(statistics.interactions) == 4


def test_seeds_that_miss_a_cell_do_not_average_over_other_cells(outputs: Any) -> None:
    for width, dropout, seed in product((8, 16), (0.0, 0.1), range(3)):
        if (width, dropout, seed) != (16, 0.1, 2):
            value = 0.5 + 0.1 * (width == 16) - 2 * dropout * (width == 8) + 0.001 * seed
            outputs.run(seed=seed, val=value, model__width=width, model__dropout=dropout)
    row = outputs.statistics().effects.set_index("name").loc["dropout"]
    # two seeds with both widths, or three with width 8 alone: the larger part is used
    assert (row["n"], row["cells"]) == (2, 2)
    assert row["mean"] == pytest.approx(-0.1)


def test_a_level_is_compared_with_one_that_has_matching_runs(outputs: Any) -> None:
    values = {("adam", 0.1): 0.5, ("adam", 0.2): 0.6, ("sgd", 1.0): 0.3, ("sgd", 2.0): 0.7}
    for (name, lr), value in values.items():
        for seed in range(2):
            noise = seed * (0.01 + lr / 1000)
            outputs.run(seed=seed, val=value + noise, optimizer__name=name, optimizer__lr=lr)
    found = outputs.statistics().effects.set_index(["name", "level"])
    assert found["reference"].to_dict() == {("lr", "0.2"): "0.1", ("lr", "2"): "1"}
    assert found.loc[("lr", "2"), "mean"] == pytest.approx(0.4005)


def test_the_reference_of_a_setting_that_some_runs_lack_is_a_real_level(outputs: Any) -> None:
    for seed in range(2):
        outputs.run(seed=seed, val=0.3, optimizer__name="adam")
        for momentum in (0.8, 0.9):
            value = momentum / 2 + seed * momentum / 100
            outputs.run(seed=seed, val=value, optimizer__name="sgd", optimizer__momentum=momentum)
    found = outputs.statistics().effects.set_index(["name", "level"])
    assert found.loc[("momentum", "0.9"), "reference"] == "0.8"


def test_marginal_means_of_an_incomplete_grid_average_over_the_same_runs(outputs: Any) -> None:
    for a, b, c in product((1, 2), (1, 2), (1, 2)):
        if (a, b, c) != (2, 2, 2):
            outputs.run(val=0.1 * a + 0.01 * b + 0.4 * (c == 2), x__a=a, x__b=b, x__c=c)
    statistics = outputs.statistics()
    by_name = {factor.name: factor for factor in statistics.factors}
    table = marginal_means(statistics.counted, statistics.factors, by_name["a"], by_name["b"])
    means = table.set_index(["first", "second"])["mean"]
    assert means.to_dict() == pytest.approx(
        {("1", "1"): 0.11, ("1", "2"): 0.12, ("2", "1"): 0.21, ("2", "2"): 0.22}
    )


def test_one_seed_gives_differences_without_a_verdict(outputs: Any) -> None:
    outputs.grid(planted, seeds=1)
    statistics = outputs.statistics()
    assert statistics.effects["mean"].notna().all()
    assert statistics.effects["p"].isna().all()
    assert not statistics.effects["is_resolved"].any()
    assert statistics.importance.warning == (
        "with one seed each, any of these shares may be chance"
    )


def test_with_a_baseline_effects_start_from_its_levels(outputs: Any) -> None:
    outputs.grid(planted)
    statistics = outputs.statistics(baseline="width=16 dropout=0.1")
    assert set(statistics.effects["reference"]) == {"16", "0.1"}
    assert set(statistics.comparisons["reference"]) == {"width=16 dropout=0.1"}
    assert len(statistics.comparisons) == 8


def test_importance_of_a_full_grid_is_the_analysis_of_variance(outputs: Any) -> None:
    outputs.grid(planted)
    statistics = outputs.statistics()
    assert isinstance(statistics.importance, Importance)
    table = anova_lm(smf.ols("value ~ C(w) * C(d) + C(seed)", frame_of(statistics)).fit())
    between = table.loc[["C(w)", "C(d)", "C(w):C(d)"]]
    found = statistics.importance.terms.set_index("term").loc[
        ["width", "dropout", "width x dropout"]
    ]
    shares = between["sum_sq"] / between["sum_sq"].sum()
    assert found["share"].to_numpy() == pytest.approx(shares.to_numpy())
    assert found["p"].to_numpy() == pytest.approx(between["PR(>F)"].to_numpy())
    noise = between["df"] * table.loc["Residual", "mean_sq"] / between["sum_sq"].sum()
    assert found["noise_share"].to_numpy() == pytest.approx(noise.to_numpy())


def test_importance_with_unequal_seeds_pools_the_noise(
    outputs: Any,
) -> None:
    values = {8: [0.3, 0.31, 0.33], 16: [0.5, 0.52], 32: [0.6, 0.61]}
    for width, accuracies in values.items():
        for seed, accuracy in enumerate(accuracies):
            outputs.run(seed=seed, val=accuracy, model__width=width)
    (term,) = outputs.statistics().importance.terms.to_dict("records")
    means = [np.mean(v) for v in values.values()]
    within = sum(np.sum((np.array(v) - np.mean(v)) ** 2) for v in values.values()) / 4
    f = np.sum((means - np.mean(means)) ** 2) / 2 / (within * (1 / 3 + 1 / 2 + 1 / 2) / 3)
    assert term["share"] == pytest.approx(1.0)
    assert term["p"] == pytest.approx(stats.f.sf(f, 2, 4))


def random_search(outputs: Any, effect: Any, runs: int) -> Any:
    random = np.random.default_rng(5)
    for i in range(runs):
        lr, decay = float(random.uniform(0.01, 1)), float(random.uniform(0, 1))
        value = float(effect(lr, decay) + random.normal(0, 0.005))
        outputs.run(seed=0, val=value, run_id=f"{i:010d}", optimizer__lr=lr, optimizer__wd=decay)
    return outputs.statistics().importance


def test_a_forest_finds_the_factor_that_matters_in_a_random_search(outputs: Any) -> None:
    found = random_search(outputs, lambda lr, decay: 0.5 - 0.4 * (lr - 0.5) ** 2, 60)  # noqa: ARG005
    assert found.is_estimated
    assert found.terms["term"].tolist() == ["lr", "wd"]
    assert found.terms["share"].iloc[0] > 0.7
    assert found.terms["share"].iloc[1] < 0.1
    assert found.warning is None


def test_a_forest_over_noise_warns(outputs: Any) -> None:
    found = random_search(outputs, lambda lr, decay: 0.5, 40)  # noqa: ARG005
    assert "has not seen, so there are too few runs to trust it" in found.warning
    assert not found.terms["is_resolved"].any()


def test_too_few_runs_for_a_forest_say_so(outputs: Any) -> None:
    for width, dropout in ((8, 0.0), (16, 0.1), (16, 0.0)):
        outputs.run(val=width / 100 + dropout, model__width=width, model__dropout=dropout)
    assert outputs.statistics().importance == (
        "3 of 4 combinations have completed runs: not a full grid, and fewer than the 20 that a "
        "random forest needs for 2 settings"
    )


def test_there_is_no_importance_if_nothing_varies_or_nothing_differs(outputs: Any) -> None:
    outputs.run(val=0.5, model__width=8)
    assert outputs.statistics().importance == "no two configurations have completed runs"
    outputs.run(val=0.5, model__width=16)
    assert outputs.statistics().importance == "all configurations have the same mean"


def test_the_most_important_factor_comes_first(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.5 + width / 1e4 - dropout)
    assert [factor.name for factor in outputs.statistics().by_importance] == ["dropout", "width"]
