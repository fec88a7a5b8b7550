"""Averages that would mislead are found; each level is compared at its own best."""

from itertools import product
from typing import Any

import numpy as np
import pytest

RATES = (0.001, 0.01, 0.1, 1.0)
BEST = {"sgd": 0.1, "adamw": 0.001}


def tuned(outputs: Any, rates: Any = None, gain: float = 0.0, noise: float = 0.002) -> Any:
    """Each optimizer loses 5 points for each factor of ten from its own best rate."""
    random = np.random.default_rng(0)
    for optimizer, seed in product(("sgd", "adamw"), range(3)):
        for lr in (rates or {}).get(optimizer, RATES):
            loss = 0.05 * abs(np.log10(lr / BEST[optimizer]))
            value = 0.6 + gain * (optimizer == "adamw") - loss + random.normal(0, noise)
            outputs.run(
                seed=seed, val=float(value), optimizer__name=optimizer, optimizer__lr=float(lr)
            )
    return outputs.statistics()


def test_optimizers_that_need_other_rates_are_compared_at_their_own(outputs: Any) -> None:
    statistics = tuned(outputs, gain=0.02)
    (crossing,) = statistics.crossings
    assert (crossing.factor.name, crossing.other.name) == ("optimizer", "lr")
    assert crossing.table[["level", "at"]].to_numpy().tolist() == [
        ["adamw", "0.001"],
        ["sgd", "0.1"],
    ]
    means = statistics.summary.set_index("configuration")["mean"]
    best, second = means["optimizer=adamw lr=0.001"], means["optimizer=sgd lr=0.1"]
    assert crossing.table["mean"].tolist() == pytest.approx([best, second])
    half = statistics.half_width("optimizer=adamw lr=0.001", "optimizer=sgd lr=0.1")
    row = crossing.table.iloc[1]
    assert (row["low"], row["high"]) == pytest.approx((second - best - half, second - best + half))
    assert statistics.misleading == {"optimizer.name", "optimizer.lr"}


def test_rates_that_no_two_optimizers_share_are_compared_too(outputs: Any) -> None:
    statistics = tuned(outputs, {"sgd": (0.03, 0.1, 0.3), "adamw": (0.0003, 0.001, 0.003)})
    (crossing,) = statistics.crossings
    assert set(crossing.table["at"]) == {"0.1", "0.001"}
    assert crossing.is_mutual


def test_effects_that_differ_in_size_alone_are_not_crossed(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: width / 100 - dropout * (2 if width == 8 else 1))
    assert outputs.statistics().crossings == []


def test_a_best_level_that_depends_on_a_factor_does_not_make_its_own_effect_misleading(
    outputs: Any,
) -> None:
    outputs.grid(lambda width, dropout: width / 100 + (dropout if width == 32 else -dropout) / 5)
    statistics = outputs.statistics()
    (crossing,) = statistics.crossings
    assert crossing.other.name == "dropout"
    assert statistics.misleading == {"model.dropout"}


def test_noise_is_not_crossed(outputs: Any) -> None:
    outputs.grid(lambda *_: 0.5, noise=0.01)
    assert outputs.statistics().crossings == []


def test_one_seed_each_cannot_show_a_crossing(outputs: Any) -> None:
    for (a, b), value in zip(product((1, 2), (1, 2)), (0.6, 0.5, 0.5, 0.6), strict=True):
        outputs.run(val=value, x__a=a, x__b=b)
    assert outputs.statistics().crossings == []


def test_a_further_setting_is_held_equal_and_the_best_is_taken(outputs: Any) -> None:
    random = np.random.default_rng(0)
    for optimizer, lr, width, seed in product(BEST, (0.001, 0.1), (8, 16), range(2)):
        value = 0.5 + 0.01 * width - 0.05 * abs(np.log10(lr / BEST[optimizer]))
        value += random.normal(0, 0.002)
        settings = {"optimizer__name": optimizer, "optimizer__lr": lr, "model__width": width}
        outputs.run(seed=seed, val=float(value), **settings)
    (crossing,) = outputs.statistics().crossings
    assert all("width=16" in name for name in crossing.table["configuration"])


def drawn(outputs: Any, best: dict[str, float]) -> Any:
    random = np.random.default_rng(0)
    for i in range(120):
        optimizer, exponent = ("sgd", "adamw")[i % 2], float(random.uniform(-4, 0))
        value = 0.6 - 0.05 * (exponent - np.log10(best[optimizer])) ** 2
        settings = {"optimizer__name": optimizer, "optimizer__lr": 10**exponent}
        outputs.run(run_id=f"{i:010d}", val=float(value + random.normal(0, 0.01)), **settings)
    return outputs.statistics()


def test_drawn_rates_are_compared_at_each_optimizers_best(outputs: Any) -> None:
    statistics = drawn(outputs, {"sgd": 0.1, "adamw": 0.001})
    (crossing,) = statistics.crossings
    assert crossing.is_estimated
    at = dict(zip(crossing.table["level"], crossing.table["at"].astype(float), strict=True))
    assert np.log10(at["sgd"]) == pytest.approx(-1, abs=0.3)
    assert np.log10(at["adamw"]) == pytest.approx(-3, abs=0.3)
    row = crossing.table.iloc[1]
    assert row["low"] < 0 < row["high"]  # truly equal
    assert crossing.table["mean"].tolist() == pytest.approx([0.6, 0.6], abs=0.015)
    assert statistics.misleading == {"optimizer.name", "optimizer.lr"}
    assert set(statistics.regions["other_level"]) == {"sgd", "adamw"}


def test_drawn_rates_with_the_same_best_are_not_crossed(outputs: Any) -> None:
    statistics = drawn(outputs, {"sgd": 0.03, "adamw": 0.03})
    assert statistics.crossings == []
    assert set(statistics.regions["other_level"]) == {""}


@pytest.mark.slow
def test_settings_without_any_effect_are_hardly_ever_called_crossed(outputs: Any) -> None:
    crossed = 0
    for study in range(8):
        random = np.random.default_rng(study)
        own = type(outputs)(outputs.path.parent / str(study))
        for _ in range(60):
            settings = {"decay": random.uniform(0, 1), "width": random.uniform(0, 1)}
            value = 0.5 + 0.02 * settings["width"] + random.normal(0, 0.005)
            named = {f"optimizer__{key}": float(of) for key, of in settings.items()}
            own.run(val=float(value), optimizer__name=str(random.choice(["sgd", "adamw"])), **named)
        crossed += bool(own.statistics().crossings)
    assert crossed <= 1


def test_best_levels_at_the_edge_of_what_was_tried_are_not_crossed(outputs: Any) -> None:
    """More depth is better at each width, which only was not tried at each."""
    random = np.random.default_rng(0)
    for (width, depth), seed in product([(16, 1), (16, 2), (32, 2), (32, 3)], range(3)):
        value = 0.4 + 0.02 * depth + random.normal(0, 0.002)
        outputs.run(seed=seed, val=float(value), model__width=width, model__depth=depth)
    assert outputs.statistics().crossings == []
