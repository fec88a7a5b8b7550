"""Configurations: their summaries, which runs count, the Pareto front."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.page.methods import superseded_runs
from cifar_exp.analysis.statistics.configurations import seed_noise
from cifar_exp.analysis.statistics.pareto import pareto_front


def test_a_summary_averages_over_seeds(outputs: Any) -> None:
    values = {8: [0.30, 0.34, 0.35], 16: [0.5, 0.52, 0.51], 32: [0.6, 0.61, 0.59]}
    for width, accuracies in values.items():
        for seed, accuracy in enumerate(accuracies):
            seconds = {"train_seconds": 10.0 * (seed + 1), "pflop": width / 100}
            outputs.run(seed=seed, val=accuracy, compute=seconds, model__width=width)
    table = outputs.statistics().summary.set_index("configuration")
    assert list(table.index) == ["width=32", "width=16", "width=8"]
    assert list(table["n"]) == [3, 3, 3]
    eight = np.array(values[8])
    row = table.loc["width=8"]
    assert row["mean"] == pytest.approx(eight.mean())
    assert row["sd"] == pytest.approx(stats.tstd(eight))
    assert (row["best"], row["train_seconds"], row["pflop"]) == pytest.approx((0.35, 20.0, 0.08))
    assert row["test_mean"] == pytest.approx(eight.mean() - 0.01)


def test_only_completed_runs_are_averaged_and_the_others_are_counted(outputs: Any) -> None:
    outputs.run(seed=0, val=0.5, model__width=8)
    outputs.run(seed=1, val=0.9, model__width=8, status="interrupted")
    outputs.run(seed=2, val=0.1, model__width=8, status="diverged", error="nan")
    outputs.run(seed=3, val=0.1, model__width=8, status="failed", error="x")
    outputs.run(seed=0, val=None, model__width=16, status="failed", error="x")
    table = outputs.statistics().summary.set_index("configuration")
    columns = ["n", "not_counted", "diverged", "failed"]
    assert table.loc["width=8", columns].tolist() == [1, 3, 1, 1]
    assert table.loc["width=8", "mean"] == 0.5
    assert table.loc["width=16", columns].tolist() == [0, 1, 0, 1]
    assert table["rank"].tolist() == [1, 0]


def test_of_two_runs_with_the_same_settings_and_seed_the_newer_one_counts(outputs: Any) -> None:
    old = outputs.run(val=0.3, run_id="0000000000", finished_at="2026-01-01T00:00:00+00:00")
    outputs.run(val=0.5, run_id="1111111111", finished_at="2026-02-01T00:00:00+00:00")
    statistics = outputs.statistics()
    assert (statistics.summary["n"].tolist(), statistics.summary["mean"].tolist()) == ([1], [0.5])
    (skipped,) = superseded_runs(statistics)
    assert skipped.what == str(old)
    assert skipped.reason == "has the settings and seed of a newer run, so it is not counted"


def test_the_lowest_loss_ranks_first(outputs: Any) -> None:
    outputs.run(val=0.3, model__width=8)
    better = outputs.run(val=0.6, model__width=16)
    statistics = outputs.statistics(metric="val_loss")
    assert (statistics.best, statistics.best_run) == ("width=16", better.name[-10:])
    assert statistics.summary["mean"].tolist() == pytest.approx([1.4, 1.7])


def test_without_val_the_metric_is_the_same_on_test(outputs: Any) -> None:
    outputs.run(val=None, test=0.4, data={"val_size": 0})
    statistics = outputs.statistics()
    assert (statistics.metric.name, statistics.summary["mean"].tolist()) == ("test_accuracy", [0.4])


def test_noise_is_pooled_over_configurations(outputs: Any) -> None:
    groups = ([0.1, 0.2], [0.5, 0.5, 0.8], [0.9])
    for width, accuracies in enumerate(groups, 1):
        for seed, accuracy in enumerate(accuracies):
            outputs.run(seed=seed, val=accuracy, model__width=width)
    sd, df = seed_noise(outputs.statistics().counted)
    pooled = (1 * np.var(groups[0], ddof=1) + 2 * np.var(groups[1], ddof=1)) / 3
    assert (sd, df) == (pytest.approx(pooled**0.5), 3)


def test_the_pareto_front_agrees_with_brute_force(outputs: Any) -> None:
    random = np.random.default_rng(3)
    for width in range(1, 25):
        cost = float(random.integers(1, 9))
        outputs.run(
            val=float(random.integers(1, 9)) / 10, compute={"pflop": cost}, model__width=width
        )
    statistics = outputs.statistics()
    table = statistics.summary
    points = list(zip(table["pflop"], table["mean"], strict=True))
    expected = {
        (c, m)
        for c, m in points
        if not any(a <= c and b >= m and (a, b) != (c, m) for a, b in points)
    }
    front = table[pareto_front(table, "pflop", statistics.metric)]
    assert set(zip(front["pflop"], front["mean"], strict=True)) == expected
