"""Slices: means by level or by bins of neighboring values."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.slices import BINS, is_logarithmic, slice_means


def test_few_levels_are_averaged_one_by_one(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: width / 100 - dropout, noise=0)
    statistics = outputs.statistics()
    table = slice_means(statistics.counted, statistics.by_importance[0])
    assert table["label"].tolist() == ["8", "16", "32"]
    assert table["center"].tolist() == [8, 16, 32]
    assert table["mean"].tolist() == pytest.approx([w / 100 - 0.1 for w in (8, 16, 32)])
    assert table["n"].tolist() == [9, 9, 9]
    values = [0.08 - 0, 0.08 - 0.1, 0.08 - 0.2] * 3
    ends = stats.t.interval(0.95, 8, np.mean(values), stats.sem(values))
    assert table[["low", "high"]].iloc[0].tolist() == pytest.approx(ends)


def test_many_values_are_averaged_with_their_neighbors(outputs: Any) -> None:
    rates = [round(0.001 * 1.5**i, 6) for i in range(24)]
    for i, rate in enumerate(rates):
        outputs.run(val=i / 100, optimizer__lr=rate)
    statistics = outputs.statistics()
    (factor,) = statistics.factors
    table = slice_means(statistics.counted, factor)
    assert len(table) == BINS
    assert table["mean"].tolist() == pytest.approx([(1 + 3 * i) / 100 for i in range(BINS)])
    assert table["center"].iloc[0] == pytest.approx(np.exp(np.log(rates[:3]).mean()))
    assert table["label"].iloc[0] == "0.001 to 0.00225"


def test_words_stand_at_their_place_among_the_levels(outputs: Any) -> None:
    for i, name in enumerate(("sgd", "adamw", "muon")):
        outputs.run(val=i / 10, optimizer__name=name)
    statistics = outputs.statistics()
    table = slice_means(statistics.counted, statistics.factors[0]).set_index("label")
    assert table["center"].to_dict() == {"adamw": 0, "muon": 1, "sgd": 2}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.geomspace(0.001, 1, 20), True),
        ([8, 16, 32, 64], True),
        (np.linspace(0.001, 0.5, 20), False),
        ([0.0, 0.1, 1.0], False),
        ([1, 2, 4], False),
    ],
)
def test_an_axis_is_logarithmic_if_the_values_are(values: Any, expected: bool) -> None:
    assert is_logarithmic(pd.Series(values)) is expected
