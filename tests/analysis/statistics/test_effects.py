"""Planted effects are found, noise is not significant, values agree with other methods."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.effects import marginal_means


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


def test_with_a_baseline_effects_start_from_its_levels(outputs: Any) -> None:
    outputs.grid(planted)
    statistics = outputs.statistics(baseline="width=16 dropout=0.1")
    assert set(statistics.effects["reference"]) == {"16", "0.1"}
    assert set(statistics.comparisons["reference"]) == {"width=16 dropout=0.1"}
    assert len(statistics.comparisons) == 8
