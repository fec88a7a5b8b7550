"""Curves survive being packed, as js/data.js unpacks them."""

import base64
import struct
from math import exp
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.page.curves import pack_curves


def unpacked(packed: dict[str, Any]) -> list[float | None]:
    data = base64.b64decode(packed["data"])
    step = (packed["high"] - packed["low"]) / 65533
    values: list[float | None] = []
    for code in struct.unpack(f"<{len(data) // 2}H", data):
        value = packed["low"] + code * step
        values.append(exp(value) if packed["scale"] == "log" else value)
        if code >= 65534:
            values[-1] = 0.0 if code == 65534 else None
    return values


def rows(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"run_id": ["a"] * len(columns["epoch"]), **columns})


def test_values_come_back_to_the_digits_that_are_shown() -> None:
    random = np.random.default_rng(0)
    accuracies, losses = random.uniform(0, 1, 500), np.exp(random.normal(0, 3, 500))
    history = rows(epoch=range(1, 501), val_accuracy=accuracies, val_loss=losses)
    series = pack_curves(history, ["a"])["series"]
    assert unpacked(series["val_accuracy"]) == pytest.approx(list(accuracies), abs=2e-5)
    assert unpacked(series["val_loss"]) == pytest.approx(list(losses), rel=3e-4)
    assert set(series) == {"val_accuracy", "val_loss"}


def test_missing_values_infinities_and_zeros_stay_what_they_are() -> None:
    history = rows(
        epoch=[1, 2, 3, 4],
        val_accuracy=[np.nan, 0.0, 0.5, np.inf],
        lr=[0.0, 0.1, np.nan, 0.01],
        val_loss=[np.nan] * 4,
    )
    series = pack_curves(history, ["a"])["series"]
    assert unpacked(series["val_accuracy"]) == [None, 0.0, pytest.approx(0.5), None]
    assert unpacked(series["lr"]) == [0.0, pytest.approx(0.1), None, pytest.approx(0.01)]
    assert "val_loss" not in series


def test_each_run_has_its_own_epochs_in_the_order_of_the_page() -> None:
    history = pd.DataFrame(
        {
            "run_id": ["x", "b", "b", "a", "a"],
            "epoch": [1, 3, 1, 1, 2],
            "val_accuracy": [0.9, 0.3, 0.1, 0.5, 0.6],
        }
    )
    packed = pack_curves(history, ["a", "none", "b"])
    assert [packed["epochs"][place] for place in packed["grid"]] == [[1, 2], [], [1, 3]]
    assert unpacked(packed["series"]["val_accuracy"]) == pytest.approx(
        [0.5, 0.6, 0.1, 0.3], abs=1e-4
    )


def test_of_very_long_curves_every_nth_epoch_and_the_last_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cifar_exp.analysis.page.curves.MOST_VALUES", 4)
    history = rows(epoch=range(1, 11), val_accuracy=np.arange(1, 11) / 10)
    packed = pack_curves(history, ["a"])
    assert packed["epochs"] == [[1, 4, 7, 10]]
    assert unpacked(packed["series"]["val_accuracy"]) == pytest.approx(
        [0.1, 0.4, 0.7, 1.0], abs=1e-4
    )


def test_without_any_run_or_epoch_there_is_nothing_to_pack() -> None:
    empty = pd.DataFrame({"run_id": pd.Series(dtype=str), "epoch": pd.Series(dtype=float)})
    assert pack_curves(empty, []) == {"series": {}, "epochs": [], "grid": []}
    assert pack_curves(empty, ["a"]) == {"series": {}, "epochs": [[]], "grid": [0]}
