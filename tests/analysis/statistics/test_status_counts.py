"""Runs by status and level."""

from typing import Any

from cifar_exp.analysis.statistics.status_counts import status_by_level


def test_the_factor_whose_levels_differ_most_comes_first(outputs: Any) -> None:
    for lr in (0.1, 10.0):
        for width in (8, 16):
            for seed in range(2):
                is_bad = lr == 10.0 or (width == 16 and seed == 1)
                status = "diverged" if is_bad else "completed"
                outputs.run(seed=seed, status=status, val=None if is_bad else 0.5,
                            optimizer__lr=lr, model__width=width)  # fmt: skip
    statistics = outputs.statistics()
    table = status_by_level(statistics.runs, statistics.factors)
    rows = table[["name", "level", "runs", "completed", "diverged"]].values.tolist()
    assert rows == [
        ["lr", "0.1", 4, 3, 1],
        ["lr", "10", 4, 0, 4],
        ["width", "8", 4, 2, 2],
        ["width", "16", 4, 1, 3],
    ]


def test_many_values_are_counted_with_their_neighbors(outputs: Any) -> None:
    for i in range(12):
        outputs.run(val=0.5, optimizer__lr=(i + 1) / 1000)
    statistics = outputs.statistics()
    table = status_by_level(statistics.runs, statistics.factors)
    assert table["runs"].tolist() == [2] * 6
    assert table["level"].iloc[0] == "0.001 to 0.002"


def test_where_nothing_varies_the_table_is_empty(outputs: Any) -> None:
    outputs.run(val=0.5)
    statistics = outputs.statistics()
    assert len(status_by_level(statistics.runs, statistics.factors)) == 0
