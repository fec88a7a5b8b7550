"""Confusion and calibration, compared with the run's own metrics and counted by hand."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from statsmodels.stats.proportion import proportion_confint

from cifar_exp.analysis.statistics.confusion import (
    calibration_error,
    confused_pairs,
    confusion,
    reliability,
    similar_first,
)
from cifar_exp.storage.predictions import Predictions
from cifar_exp.training.evaluation import Evaluation

NAMES = ["ant", "bee", "cat", "dog"]
GROUPS = ["insects", "insects", "mammals", "mammals"]


@pytest.fixture
def predictions() -> Predictions:
    """1,000 guesses, right about half of the time."""
    random = np.random.default_rng(0)
    label = random.integers(0, 4, 1000)
    other = random.integers(0, 4, 1000)
    prediction = np.where(random.random(1000) < 0.5, label, other)
    return Predictions(label, prediction, random.random(1000))


def test_rows_of_the_confusion_matrix_are_shares_of_a_group(predictions: Predictions) -> None:
    table = confusion(predictions, GROUPS)
    counts = Counter(zip(predictions.label // 2, predictions.prediction // 2, strict=True))
    insects = (predictions.label < 2).sum()
    assert table.loc["insects", "mammals"] == pytest.approx(counts[0, 1] / insects)
    assert table.sum(axis=1).tolist() == pytest.approx([1, 1])
    plain = confusion(predictions, NAMES)
    right = (predictions.label == predictions.prediction)[predictions.label == 3].mean()
    assert plain.loc["dog", "dog"] == pytest.approx(right)


def test_pairs_count_both_directions(predictions: Predictions) -> None:
    table = confused_pairs(predictions, NAMES).set_index(["first", "second"])
    pairs = list(zip(predictions.label.tolist(), predictions.prediction.tolist(), strict=True))
    row = table.loc[("bee", "dog")]
    assert (row["as_second"], row["as_first"]) == (pairs.count((1, 3)), pairs.count((3, 1)))
    of_both = np.isin(predictions.label, [1, 3]).sum()
    assert row["share"] == pytest.approx((pairs.count((1, 3)) + pairs.count((3, 1))) / of_both)
    assert table["images"].is_monotonic_decreasing
    assert table["images"].sum() == sum(a != b for a, b in pairs)


def test_without_errors_there_are_no_confused_pairs() -> None:
    label = np.arange(4)
    assert len(confused_pairs(Predictions(label, label, np.ones(4)), NAMES)) == 0


def test_the_calibration_error_equals_that_of_the_run(predictions: Predictions) -> None:
    table = reliability(predictions)
    labels, guesses = (torch.tensor(a) for a in (predictions.label, predictions.prediction))
    confidence = torch.tensor(predictions.confidence)
    own = Evaluation(labels, torch.zeros(1000), guesses, confidence, labels == guesses)
    assert calibration_error(table) == pytest.approx(own.calibration_error())
    assert table["images"].sum() == 1000
    assert ((table["low"] <= table["confidence"]) & (table["confidence"] <= table["high"])).all()


def test_groups_that_are_confused_become_neighbors() -> None:
    names = ["oak", "car", "maple", "bus"]
    table = pd.DataFrame(np.eye(4) * 0.8, index=names, columns=names)
    table.loc["oak", "maple"] = table.loc["car", "bus"] = 0.2
    ordered = similar_first(table)
    assert {frozenset(ordered.index[:2]), frozenset(ordered.index[2:])} == {
        frozenset({"oak", "maple"}),
        frozenset({"car", "bus"}),
    }
    assert (ordered.loc[names, names] == table).all().all()
    assert list(ordered.index) == list(ordered.columns)


@pytest.mark.parametrize("seeds", [1, 4])
def test_accuracies_have_the_interval_of_one_seeds_images(
    predictions: Predictions, seeds: int
) -> None:
    table = reliability(predictions, seeds)
    images = table["images"] / seeds
    low, high = proportion_confint(table["accuracy"] * images, images, method="wilson")
    assert table["lowest"].to_numpy() == pytest.approx(np.asarray(low), abs=1e-6)
    assert table["highest"].to_numpy() == pytest.approx(np.asarray(high), abs=1e-6)


def test_an_interval_never_excludes_its_own_share() -> None:
    for right in (0, 1):
        for images in range(1, 60):
            label = np.zeros(images, dtype=int)
            found = Predictions(label, label + (1 - right), np.full(images, 0.5))
            table = reliability(found, 1)
            assert (table["lowest"] <= table["accuracy"]).all()
            assert (table["highest"] >= table["accuracy"]).all()
