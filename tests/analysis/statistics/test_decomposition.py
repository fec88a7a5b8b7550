"""The decomposition adds up, and the interval of a share holds the truth."""

import numpy as np
import pytest

from cifar_exp.analysis.statistics.decomposition import (
    decompose,
    degrees_of_freedom,
    omega,
    omega_interval,
    sums_of_squares,
)


def test_effects_of_two_factors_add_up_to_the_grid() -> None:
    grid = np.random.default_rng(0).normal(0, 1, (3, 4))
    effects = decompose(grid[None])
    assert list(effects) == [(0,), (1,), (0, 1)]
    total = sum(np.broadcast_to(effect[0], grid.shape) for effect in effects.values())
    assert grid.mean() + total == pytest.approx(grid)
    squares, whole = sums_of_squares(grid[None])
    assert squares.sum() == pytest.approx(whole[0])
    assert whole[0] == pytest.approx(((grid - grid.mean()) ** 2).sum())


def test_several_grids_are_decomposed_at_once() -> None:
    grids = np.random.default_rng(0).normal(0, 1, (5, 3, 2, 4))
    together = sums_of_squares(grids)[0]
    alone = [sums_of_squares(grid[None])[0][0] for grid in grids]
    assert together == pytest.approx(np.array(alone))
    assert degrees_of_freedom((3, 2, 4)).tolist() == [2, 1, 3, 2, 6, 3]


def test_without_noise_omega_is_the_share() -> None:
    grid = np.random.default_rng(0).normal(0, 1, (3, 4))
    squares, total = sums_of_squares(grid[None])
    assert omega(grid[None], 0.0) == pytest.approx(squares / total)


def test_noise_alone_leaves_no_share() -> None:
    grid = np.array([[0.0, 0.1], [0.1, 0.0]])
    assert np.isnan(omega(grid[None], 10.0)).all()


def test_an_unknown_noise_has_no_interval() -> None:
    low, high = omega_interval(np.eye(3), float("nan"), 0)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


@pytest.mark.slow
def test_the_interval_of_a_share_holds_the_truth_as_often_as_promised() -> None:
    truth = np.add.outer([0, 0.5, 2], [0, 0.5, 1])
    squares, total = sums_of_squares(truth[None])
    random, hits = np.random.default_rng(0), np.zeros(3)
    for _ in range(100):
        runs = truth[..., None] + random.normal(0, 0.5, (3, 3, 3))
        noise = runs.var(axis=2, ddof=1).mean() / 3
        low, high = omega_interval(runs.mean(axis=2), noise, 18)
        hits += (low - 1e-9 <= squares[0] / total) & (squares[0] / total <= high + 1e-9)
    assert hits.min() >= 88
