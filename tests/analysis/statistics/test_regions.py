"""Where a drawn setting is good is found, and the trend over it, with the truth inside."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.analysis.statistics.regions import REGION_COLUMNS, TREND_COLUMNS, regions, trends
from cifar_exp.analysis.statistics.surrogate import Surrogate, fit_surrogate

ACCURACY, LOSS = METRICS["val_accuracy"], METRICS["val_loss"]


def model(values: np.ndarray, **columns: np.ndarray) -> Surrogate:
    frame = pd.DataFrame({key: [str(v) for v in column] for key, column in columns.items()})
    frame["configuration"] = frame[list(columns)].agg(" ".join, axis=1)
    frame = frame.assign(value=values, seed=0)
    factors = [
        Factor(key, key, tuple(str(v) for v in np.unique(column)), column.dtype.kind == "f")
        for key, column in columns.items()
    ]
    return fit_surrogate(frame, factors)


def search(runs: int, seed: int, noise: float = 0.01) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The best rate is 10^-1.2 = 0.063; a tenth of it costs 5 points."""
    random = np.random.default_rng(seed)
    exponent, decay = random.uniform(-3, 0, runs), random.uniform(0, 1, runs)
    values = 0.6 - 0.05 * (exponent + 1.2) ** 2 + 0.02 * decay + random.normal(0, noise, runs)
    return values, {"lr": 10**exponent, "decay": decay}


def region_of(surrogate: Surrogate, name: str, worth: float | None = None) -> dict[str, Any]:
    table = regions(surrogate, ACCURACY, {}, worth)
    (row,) = table[table["name"] == name].to_dict("records")
    return {str(key): value for key, value in row.items()}


def test_the_region_of_a_random_search_holds_the_best_rate() -> None:
    values, columns = search(100, 0)
    row = region_of(model(values, **columns), "lr")
    assert float(row["low"]) < 10**-1.2 < float(row["high"])
    assert (
        np.log10(float(row["high"]) / float(row["low"])) < 1.3
    )  # 0.45 either way cost a run's noise
    assert float(row["low"]) <= float(row["best"]) <= float(row["high"])
    assert (row["is_lowest"], row["is_highest"]) == (False, False)


@pytest.mark.slow
def test_the_best_value_is_in_the_region_about_as_often_as_promised() -> None:
    hits = 0
    for seed in range(20):
        values, columns = search(60, seed)
        table = regions(model(values, **columns), ACCURACY, {}, None)
        own = table[table["name"] == "lr"].astype({"low": float, "high": float})
        step = 1.12  # sixty values lie this far apart
        hits += bool(((own["low"] / step <= 10**-1.2) & (own["high"] * step >= 10**-1.2)).any())
    assert hits >= 18


def test_a_difference_that_does_not_matter_widens_the_region() -> None:
    values, columns = search(200, 1)
    surrogate = model(values, **columns)
    narrow, wide = region_of(surrogate, "lr"), region_of(surrogate, "lr", worth=0.02)
    assert float(wide["low"]) < float(narrow["low"])
    assert float(wide["high"]) > float(narrow["high"])
    # two points are lost sqrt(0.02 / 0.05) = 0.63 decades from the best
    assert np.log10(float(wide["low"])) == pytest.approx(-1.83, abs=0.25)


def test_a_setting_that_does_nothing_is_good_everywhere() -> None:
    values, columns = search(100, 0)
    row = region_of(model(values - 0.02 * columns["decay"], **columns), "decay")
    assert (row["is_lowest"], row["is_highest"]) == (True, True)


def test_the_highest_value_tried_may_be_the_best() -> None:
    random = np.random.default_rng(0)
    x, z = random.uniform(0, 1, 60), random.uniform(0, 1, 60)
    row = region_of(model(0.5 + 0.1 * x + random.normal(0, 0.01, 60), x=x, z=z), "x")
    assert (row["is_lowest"], row["is_highest"]) == (False, True)
    assert float(row["low"]) > 0.5


def test_of_a_loss_low_values_are_good() -> None:
    values, columns = search(100, 0)
    table = regions(model(-values, **columns), LOSS, {}, None)
    row = table[table["name"] == "lr"].iloc[0]
    assert float(row["low"]) < 10**-1.2 < float(row["high"])


def test_a_trend_follows_the_truth_within_its_band() -> None:
    values, columns = search(100, 0)
    table = trends(model(values, **columns), {})
    own = table[table["name"] == "lr"]
    truth = 0.6 + 0.02 * columns["decay"].mean() - 0.05 * (np.log10(own["value"]) + 1.2) ** 2
    assert np.mean((own["low"] <= truth) & (truth <= own["high"])) > 0.9
    assert own["value"].is_monotonic_increasing
    assert set(table.columns) == set(TREND_COLUMNS)


def test_where_another_setting_decides_there_is_a_region_for_each_level() -> None:
    random = np.random.default_rng(0)
    exponent = random.uniform(-4, 0, 120)
    optimizer = random.choice(["adamw", "sgd"], 120)
    best = np.where(optimizer == "sgd", -1.0, -3.0)
    values = 0.6 - 0.05 * (exponent - best) ** 2 + random.normal(0, 0.01, 120)
    surrogate = model(values, lr=10**exponent, optimizer=optimizer)
    crossed = {"lr": surrogate.factors[1]}
    table = regions(surrogate, ACCURACY, crossed, None).set_index("other_level")
    assert float(table.loc["sgd", "low"]) < 0.1 < float(table.loc["sgd", "high"])
    assert float(table.loc["adamw", "low"]) < 0.001 < float(table.loc["adamw", "high"])
    assert set(trends(surrogate, crossed)["other_level"]) == {"adamw", "sgd"}


def test_a_grid_has_no_drawn_values(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: width / 100 - dropout)
    statistics = outputs.statistics()
    assert list(statistics.regions.columns) == list(REGION_COLUMNS)
    assert list(statistics.trends.columns) == list(TREND_COLUMNS)
    assert statistics.regions.empty
    assert statistics.trends.empty
