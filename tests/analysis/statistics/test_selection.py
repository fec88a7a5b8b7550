"""The best configuration without flattery."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.comparisons import compare_with_best
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.analysis.statistics.selection import candidates, honest_best


def test_the_honest_best_is_scored_on_seeds_that_did_not_choose_it(outputs: Any) -> None:
    values = {8: [0.50, 0.56, 0.51], 16: [0.55, 0.50, 0.53], 32: [0.52, 0.53, 0.52]}
    for width, of_width in values.items():
        for seed, value in enumerate(of_width):
            outputs.run(seed=seed, val=value, model__width=width)
    scores = []
    for left_out in range(3):
        others = {w: np.delete(v, left_out).mean() for w, v in values.items()}
        scores.append(values[max(others, key=lambda w: others[w])][left_out])
    assert outputs.statistics().honest_best == pytest.approx(np.mean(scores))


def test_a_best_with_fewer_seeds_than_others_is_scored_on_its_own_seeds(outputs: Any) -> None:
    for seed in range(6):
        outputs.run(seed=seed, val=0.5 + seed / 1000, model__width=8)
    for seed in (0, 2, 4):
        outputs.run(seed=seed, val=0.6 + seed / 1000, model__width=16)
    assert outputs.statistics().honest_best == pytest.approx(0.602)


def test_one_seed_or_one_configuration_leaves_the_honest_best_unknown(outputs: Any) -> None:
    outputs.run(val=0.5, model__width=8)
    assert np.isnan(outputs.statistics().honest_best)
    outputs.run(val=0.6, model__width=16)
    assert np.isnan(outputs.statistics().honest_best)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_candidates_are_those_that_hsus_comparisons_leave(
    study: Any, grid: Any, sign: int
) -> None:
    metric = METRICS["val_accuracy" if sign > 0 else "val_loss"]
    frame = grid(
        seeds=range(5), effect=lambda w: 0.5 + sign * 0.002 * int(w), sd=0.003,
        width="0 1 2 3 4",
    )  # fmt: skip
    model = study(frame).model
    best = model.names[int((sign * model.means).argmax())]
    found = candidates(model, compare_with_best(model, best), metric)
    shape = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    draws = stats.multivariate_t(shape=shape, df=16, seed=0).rvs(200_000)
    reach = np.quantile(draws.max(axis=1), 0.95) * np.sqrt(model.strata.error.value * 2 / 5)
    behind = sign * (model.means.max() if sign > 0 else model.means.min()) - sign * model.means
    assert set(found) == {n for n, gap in zip(model.names, behind, strict=True) if gap <= reach}
    assert found[0] == best
    assert 1 < len(found) < 5


def test_without_an_estimate_of_the_scatter_all_are_candidates(study: Any, grid: Any) -> None:
    model = study(grid(seeds=[0], width="0 1 2")).model
    best = model.names[int(model.means.argmax())]
    found = candidates(model, compare_with_best(model, best), METRICS["val_accuracy"])
    assert sorted(found) == sorted(model.names)


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
def test_the_honest_best_of_a_grid_is_that_of_a_loop_over_seeds(
    study: Any, grid: Any, metric: str
) -> None:
    model = study(grid(seeds=range(4), width="8 16 32", dropout="0 1")).model
    table = model.observations.values.reshape(6, 4)
    pick = np.argmax if metric == "val_accuracy" else np.argmin
    scores = [table[pick(np.delete(table, s, axis=1).mean(axis=1)), s] for s in range(4)]
    assert honest_best(model, METRICS[metric]) == pytest.approx(np.mean(scores))
