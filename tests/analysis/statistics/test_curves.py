"""Curves by configuration, and early rankings."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.curves import (
    budget_correlation,
    by_configuration,
)


def test_curves_are_means_from_the_lowest_seed_to_the_highest(outputs: Any) -> None:
    for seed, value in enumerate((0.3, 0.4, 0.6)):
        outputs.run(seed=seed, val=value, model__width=8)
    outputs.run(val=0.9, model__width=16)
    outputs.run(seed=1, val=0.1, model__width=16, status="interrupted")
    statistics = outputs.statistics()
    table = by_configuration(statistics.history, statistics.counted, "val_accuracy")
    last = table[table["epoch"] == 3].set_index("configuration")[["n", "mean", "lowest", "highest"]]
    assert last.loc["width=8"].tolist() == pytest.approx([3, 1.3 / 3, 0.3, 0.6])
    assert last.loc["width=16"].tolist() == pytest.approx([1, 0.9, 0.9, 0.9])


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


def test_early_rankings_of_single_seeds_have_a_range(outputs: Any) -> None:
    finals = {1: (0.1, 0.2), 2: (0.2, 0.1), 3: (0.3, 0.4), 4: (0.4, 0.3)}
    for width, values in finals.items():
        for seed, value in enumerate(values):
            outputs.run(seed=seed, val=value, epochs=2, model__width=width)
    outputs.run(seed=2, val=0.9, epochs=2, model__width=1)  # the only one with this seed
    statistics = outputs.statistics()
    table = budget_correlation(statistics.history, statistics.counted, statistics.metric)
    means = [np.mean([*finals[1], 0.9]), *(np.mean(finals[width]) for width in (2, 3, 4))]
    by_seed = [
        stats.spearmanr([values[seed] for values in finals.values()], means).statistic
        for seed in range(2)
    ]
    assert table["lowest"].tolist() == pytest.approx([min(by_seed)] * 2)
    assert table["highest"].tolist() == pytest.approx([max(by_seed)] * 2)
