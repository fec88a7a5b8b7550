"""What an effect is worth in compute agrees with the ladder that was planted."""

from itertools import product
from typing import Any

import numpy as np
import pytest

EPOCHS = (2, 4, 8, 16)


def ladder(outputs: Any, effect: Any, cost: Any = None, seeds: int = 3, **options: Any) -> Any:
    """Epochs by dropout; compute grows with epochs. `effect(epochs, dropout)` is the accuracy."""
    random = np.random.default_rng(0)
    for epochs, dropout, seed in product(EPOCHS, (0.0, 0.2), range(seeds)):
        pflop = epochs * (cost(dropout) if cost else 1.0) / 10
        outputs.run(
            seed=seed,
            val=float(effect(epochs, dropout) + random.normal(0, 0.0005)),
            epochs=epochs,
            done=1,
            compute={"pflop": pflop},
            model__dropout=dropout,
        )
    return outputs.statistics(**options)


def by_doubling(epochs: int, dropout: float) -> float:
    """Four points for each doubling; dropout costs what 0.75 of a doubling gives."""
    return 0.4 + 0.04 * np.log2(epochs) - 0.03 * (dropout > 0)


def test_an_effect_is_worth_the_compute_that_makes_up_for_it(outputs: Any) -> None:
    (row,) = ladder(outputs, by_doubling).prices.to_dict("records")
    assert (row["name"], row["level"], row["reference"]) == ("dropout", "0", "0.2")
    assert (row["ladder"], row["lowest"], row["highest"]) == ("epochs", "2", "16")
    assert row["rungs"] == ("2", "4", "8")  # above 16 epochs nothing is known
    assert row["ratio"] == pytest.approx(2**0.75, rel=0.03)
    assert row["low"] < 2**0.75 < row["high"]
    assert row["cost"] == pytest.approx(1)


@pytest.mark.slow
def test_the_interval_covers_the_truth_as_often_as_promised(outputs: Any) -> None:
    statistics = ladder(outputs, by_doubling)
    table = statistics.prices
    model, hits = statistics.model, 0
    assert model is not None
    errors = np.sqrt(model.mean_variance().values)
    truth = [
        by_doubling(int(e), float(d))
        for e, d in zip(
            statistics.cells["trainer.epochs"], statistics.cells["model.dropout"], strict=True
        )
    ]
    random = np.random.default_rng(1)
    for _ in range(100):
        model.means = np.array(truth) + random.normal(0, 1, len(truth)) * errors
        statistics.__dict__.pop("prices")
        table = statistics.prices
        hits += table["low"].iloc[0] <= 2**0.75 <= table["high"].iloc[0]
    assert hits >= 90


def test_an_effect_that_leaves_the_ladder_has_no_price(outputs: Any) -> None:
    assert ladder(outputs, lambda e, d: by_doubling(e, 0) - 0.2 * (d > 0)).prices.empty


def test_a_ladder_on_which_more_is_not_better_has_no_price(outputs: Any) -> None:
    table = ladder(outputs, lambda e, d: 0.5 - 0.01 * abs(e - 4) - 0.02 * (d > 0)).prices
    assert table.empty


def test_an_effect_that_is_not_significant_has_no_price(outputs: Any) -> None:
    assert ladder(outputs, lambda e, _: by_doubling(e, 0)).prices.empty


def test_a_level_that_costs_more_says_so(outputs: Any) -> None:
    (row,) = ladder(outputs, by_doubling, cost=lambda d: 1.5 if d == 0 else 1.0).prices.to_dict(
        "records"
    )
    assert row["cost"] == pytest.approx(1.5)
    assert row["ratio"] == pytest.approx(2**0.75, rel=0.03)


def test_of_a_loss_the_lower_one_is_better(outputs: Any) -> None:
    (row,) = ladder(outputs, by_doubling, metric="val_loss").prices.to_dict("records")
    assert (row["level"], row["reference"]) == ("0", "0.2")
    assert row["ratio"] == pytest.approx(2**0.75, rel=0.03)


def test_without_a_ladder_there_is_no_price(outputs: Any) -> None:
    for a, b, seed in product((1, 2), (1, 2), range(3)):
        outputs.run(seed=seed, val=0.3 + a / 10 + b / 100 + seed / 1000 * a, x__a=a, x__b=b)
    assert outputs.statistics().prices.empty


def test_a_group_without_completed_runs_has_no_price(outputs: Any) -> None:
    outputs.run(status="failed", error="x")
    assert outputs.statistics().prices.empty
