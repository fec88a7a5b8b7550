"""Paused runs are counted and described, and enter no statistic."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.paused import is_beyond

WIDTHS = (8, 16, 32)
DROPOUTS = (0.0, 0.1, 0.2)


def fill(outputs: Any, *, has_paused: bool) -> GroupStatistics:
    """A grid with one more width and a rate all of whose runs were paused, far off in value."""
    outputs.grid(lambda width, dropout: 0.3 + width / 200 - dropout, seeds=2)
    if has_paused:
        for seed in (0, 1):
            for dropout in DROPOUTS:
                shared = {"status": "pruned", "done": 1 + seed, "seed": seed, "val": 0.99}
                outputs.run(**shared, model__width=64, model__dropout=dropout)
        outputs.run(status="pruned", done=1, seed=2, val=0.0, model__width=8, model__dropout=0.0)
    statistics: GroupStatistics = outputs.statistics()
    return statistics


@pytest.fixture
def pair(tmp_path: Any, outputs_at: Any) -> tuple[GroupStatistics, GroupStatistics]:
    """The statistics of the same runs, with and without paused ones."""
    outputs = outputs_at(tmp_path / "with"), outputs_at(tmp_path / "without")
    return fill(outputs[0], has_paused=True), fill(outputs[1], has_paused=False)


def test_no_statistic_changes_when_paused_runs_are_added(
    pair: tuple[GroupStatistics, GroupStatistics],
) -> None:
    having, without = pair
    shown = without.summary.columns.drop(["not_counted", "pruned"])
    pd.testing.assert_frame_equal(
        having.evaluated[shown], without.evaluated[shown], check_dtype=False
    )
    for name in ("effects", "interactions", "comparisons", "prices", "regions", "collapsed"):
        pd.testing.assert_frame_equal(getattr(having, name), getattr(without, name))
    assert isinstance(having.importance, Importance)
    assert isinstance(without.importance, Importance)
    pd.testing.assert_frame_equal(having.importance.terms, without.importance.terms)
    assert (having.best, having.candidates) == (without.best, without.candidates)
    assert having.honest_best == without.honest_best
    assert having.noise == without.noise
    assert len(having.history) == len(without.history)


def test_paused_runs_are_told_apart_by_whether_their_configuration_has_a_mean(
    pair: tuple[GroupStatistics, GroupStatistics],
) -> None:
    paused = pair[0].paused
    assert sorted(paused.configurations) == [f"width=64 dropout={d:g}" for d in DROPOUTS]
    assert paused.incomplete == ("width=8 dropout=0",)
    assert paused.epochs.to_dict() == {1: 4, 2: 3}
    summary = pair[0].summary.set_index("configuration")["pruned"]
    assert summary[summary > 0].to_dict() == {
        **dict.fromkeys(paused.configurations, 2),
        "width=8 dropout=0": 1,
    }
    assert not len(pair[1].paused.runs)


def test_a_paused_run_has_not_failed(outputs: Any) -> None:
    for seed in range(2):
        outputs.run(seed=seed, status="failed", error="x", model__width=64)
        outputs.run(seed=seed, model__width=8)
    outputs.run(seed=2, status="pruned", done=1, model__width=64)
    table = outputs.statistics().completion.set_index("level")
    assert table.loc["64", ["runs", "completed", "failed", "pruned"]].tolist() == [3, 0, 2, 1]


def test_values_beyond_a_level_are_found_whatever_their_texts() -> None:
    factor = Factor("lr", "lr", ("0.01", "0.1", "1"), is_numeric=True)
    runs = pd.DataFrame({"lr": ["1e-3", "0.1", "-"]})
    assert is_beyond(runs, factor, "0.01", is_upper=False)
    assert not is_beyond(runs, factor, "0.1", is_upper=True)
    assert not is_beyond(runs.assign(lr=np.nan), factor, "0.1", is_upper=True)
