"""Curves by configuration, early rankings, learning rates."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.curves import (
    budget_correlation,
    by_configuration,
    rate_curves,
    with_gap,
)


def test_curves_are_means_with_an_sd_between_seeds(outputs: Any) -> None:
    for seed, value in enumerate((0.3, 0.4, 0.6)):
        outputs.run(seed=seed, val=value, model__width=8)
    outputs.run(val=0.9, model__width=16)
    outputs.run(seed=1, val=0.1, model__width=16, status="interrupted")
    statistics = outputs.statistics()
    table = by_configuration(statistics.history, statistics.counted, "val_accuracy")
    last = table[table["epoch"] == 3].set_index("configuration")
    values = np.array([0.3, 0.4, 0.6])
    assert last.loc["width=8", ["n", "mean"]].tolist() == pytest.approx([3, values.mean()])
    spread = last.loc["width=8", "high"] - last.loc["width=8", "low"]
    assert spread == pytest.approx(2 * values.std(ddof=1))
    assert last.loc["width=16", "mean"] == pytest.approx(0.9)
    assert np.isnan(last.loc["width=16", "low"])


def test_the_gap_is_train_eval_minus_val(outputs: Any) -> None:
    outputs.run(val=0.5)
    assert with_gap(outputs.statistics().history)["gap"].tolist() == pytest.approx(
        [(0.7 - 0.5) * share for share in (1 / 3, 2 / 3, 1)]
    )


def test_early_rankings_are_compared_with_the_final_one(outputs: Any) -> None:
    early = {1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1}
    late = {1: 0.5, 2: 0.6, 3: 0.55, 4: 0.4}
    for width, early_accuracy in early.items():
        folder = outputs.run(val=late[width], epochs=2, model__width=width)
        path = folder / "metrics.csv"
        lines = path.read_text().splitlines()
        cells = lines[1].split(",")
        cells[lines[0].split(",").index("val_accuracy")] = str(early_accuracy)
        path.write_text("\n".join([lines[0], ",".join(cells), lines[2]]) + "\n")
    statistics = outputs.statistics()
    table = budget_correlation(statistics.history, statistics.counted, statistics.metric)
    expected = stats.spearmanr(list(early.values()), list(late.values())).statistic
    assert table["correlation"].tolist() == pytest.approx([expected, 1.0])
    assert table["cost"].tolist() == pytest.approx([0.6 - 0.5, 0.0])
    loss = outputs.statistics(metric="val_loss")
    assert budget_correlation(loss.history, loss.counted, loss.metric)["cost"].tolist() == (
        pytest.approx([0.1, 0.0])
    )


def test_runs_of_other_lengths_are_left_out_of_early_rankings(outputs: Any) -> None:
    for width in range(1, 6):
        outputs.run(val=0.1 * width, epochs=3, model__width=width)
    outputs.run(val=0.9, epochs=2, model__width=9)
    statistics = outputs.statistics()
    table = budget_correlation(statistics.history, statistics.counted, statistics.metric)
    assert table["configurations"].tolist() == [5, 5, 5]


def test_a_run_without_val_metrics_by_epoch_is_left_out_of_early_rankings(outputs: Any) -> None:
    for width in range(1, 6):
        folder = outputs.run(val=0.1 * width, model__width=width)
    (folder / "metrics.csv").write_text("epoch,lr\n1,1\n2,1\n3,1\n")
    statistics = outputs.statistics()
    table = budget_correlation(statistics.history, statistics.counted, statistics.metric)
    assert table["configurations"].tolist() == [4, 4, 4]


@pytest.mark.parametrize(("configurations", "epochs"), [(3, 3), (5, 1)])
def test_too_few_configurations_or_epochs_have_no_early_ranking(
    outputs: Any, configurations: int, epochs: int
) -> None:
    for width in range(configurations):
        outputs.run(val=0.1 * width, epochs=epochs, model__width=width)
    statistics = outputs.statistics()
    assert len(budget_correlation(statistics.history, statistics.counted, statistics.metric)) == 0


def test_each_distinct_rate_curve_appears_once(outputs: Any) -> None:
    for seed in range(2):
        for width in (8, 16):
            outputs.run(seed=seed, model__width=width, epochs=3)
        outputs.run(seed=seed, model__width=32, epochs=4)
    statistics = outputs.statistics()
    table = rate_curves(statistics.history, statistics.counted)
    users = table.groupby("curve")["configurations"].first().tolist()
    names = [sorted(name.split()[0] for name in group) for group in users]
    assert sorted(names) == [["width=16", "width=8"], ["width=32"]]
    assert table.groupby("curve").size().tolist() == [3, 4]
