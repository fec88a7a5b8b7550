"""Means at pairs of levels, averaged over the other factors."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.marginals import marginal_means


def test_means_at_pairs_of_levels_are_averages_of_the_configurations(study: Any, grid: Any) -> None:
    found = study(grid(a="0 1", b="0 1 2", c="x y"))
    table = marginal_means(found.model, found.cells, found.factors, tuple(found.factors[:2]))
    wanted = found.counted.groupby(["a", "b"])["value"].agg(["mean", "size"]).reset_index()
    assert table["mean"].tolist() == pytest.approx(wanted["mean"].tolist())
    assert table["n"].tolist() == wanted["size"].tolist() == [6] * 6


def test_their_intervals_are_those_of_a_mean_with_the_pooled_scatter(study: Any, grid: Any) -> None:
    found = study(grid(a="0 1", b="0 1 2"))
    table = marginal_means(found.model, found.cells, found.factors, tuple(found.factors))
    variance = found.model.mean_variance()
    half = stats.t.isf(0.025, variance.df) * np.sqrt(variance.values)
    np.testing.assert_allclose(table["high"] - table["mean"], half, rtol=1e-4)


def test_all_means_average_over_the_same_combinations_of_the_others(study: Any, grid: Any) -> None:
    frame = grid(a="0 1", b="0 1", c="x y")
    gone = (frame["a"] == "1") & (frame["b"] == "1") & (frame["c"] == "y")
    found = study(frame[~gone].reset_index(drop=True))
    table = marginal_means(found.model, found.cells, found.factors, tuple(found.factors[:2]))
    only = found.counted[found.counted["c"] == "x"].groupby(["a", "b"])["value"].mean()
    assert table["mean"].tolist() == pytest.approx(only.tolist())
