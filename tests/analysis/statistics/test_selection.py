"""The best configuration without flattery."""

from typing import Any

import numpy as np
import pytest


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
