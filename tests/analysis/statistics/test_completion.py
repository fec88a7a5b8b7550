"""Runs that did not complete are counted by level; those that collapsed are found."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.statistics.completion import (
    collapsed_runs,
    failing_ends,
    leader_without,
)


def counted(values: dict[str, list[float]]) -> pd.DataFrame:
    rows = [(c, seed, v) for c, own in values.items() for seed, v in enumerate(own)]
    frame = pd.DataFrame(rows, columns=["configuration", "seed", "value"])
    return frame.set_index(pd.Index([f"run {i}" for i in range(len(frame))]))


def test_the_runs_of_each_level_are_counted_by_how_they_ended(outputs: Any) -> None:
    for seed in range(3):
        outputs.run(seed=seed, val=0.5, optimizer__lr=0.1)
        outputs.run(seed=seed, status="diverged", error="x", optimizer__lr=10.0)
    outputs.run(seed=3, status="failed", error="x", optimizer__lr=0.1)
    outputs.run(seed=4, status="interrupted", optimizer__lr=0.1)
    table = outputs.statistics().completion.set_index("level")
    columns = ["name", "runs", "completed", "failed", "diverged"]
    assert table.loc["0.1", columns].tolist() == ["lr", 4, 3, 1, 0]
    assert table.loc["10", columns].tolist() == ["lr", 3, 0, 0, 3]


def test_a_group_in_which_nothing_varies_has_no_levels(outputs: Any) -> None:
    outputs.run(status="failed", error="x")
    assert outputs.statistics().completion.empty


def test_of_many_values_the_end_from_which_none_completed_is_found(outputs: Any) -> None:
    for i in range(20):
        status = "completed" if i < 16 and i != 5 else "diverged"
        outputs.run(run_id=f"{i:010d}", status=status, error=None, optimizer__lr=0.01 * 1.5**i)
    statistics = outputs.statistics()
    (row,) = failing_ends(statistics.completion, statistics.factors).to_dict("records")
    assert row == {
        "setting": "optimizer.lr",
        "name": "lr",
        "is_upper": True,
        "level": statistics.factors[0].levels[16],
        "runs": 4,
        "failed": 0,
        "diverged": 4,
    }


def test_the_run_of_a_sweep_that_collapsed_is_found_and_the_leader_without_it() -> None:
    random = np.random.default_rng(0)
    values = {f"width={w}": list(random.normal(0.72, 0.003, 5)) for w in (8, 16, 32)}
    values["width=32"] = [v + 0.01 for v in values["width=32"]]
    values["width=32"][3] = 0.31
    frame = counted(values)
    found = collapsed_runs(frame)
    assert found[["configuration", "seed", "value"]].to_numpy().tolist() == [["width=32", 3, 0.31]]
    assert found["others"].iloc[0] == pytest.approx(np.median(np.delete(values["width=32"], 3)))
    assert frame.groupby("configuration")["value"].mean().idxmax() != "width=32"
    assert leader_without(frame, list(found.index), 1) == "width=32"
    assert leader_without(frame, list(found.index), -1) != "width=32"


def test_of_two_seeds_the_one_far_from_all_others_collapsed() -> None:
    random = np.random.default_rng(0)
    values = {f"width={w}": list(random.normal(0.72, 0.003, 2)) for w in range(9)}
    values["width=4"][1] = 0.31
    found = collapsed_runs(counted(values))
    assert found[["configuration", "seed"]].to_numpy().tolist() == [["width=4", 1]]


@pytest.mark.parametrize(("configurations", "seeds"), [(4, 2), (9, 3), (3, 5), (300, 3)])
def test_normal_scatter_rarely_looks_collapsed(configurations: int, seeds: int) -> None:
    found = 0
    for i in range(40):
        values = np.random.default_rng(i).normal(0.5, 0.01, (configurations, seeds))
        frame = counted({f"c{j}": list(own) for j, own in enumerate(values)})
        found += len(collapsed_runs(frame)) > 0
    assert found <= 3


def test_no_run_collapsed_where_many_lie_far_away() -> None:
    random = np.random.default_rng(0)
    values = {f"a{i}": list(random.normal(0.5, 0.001, 2)) for i in range(10)}
    values |= {f"b{i}": list(random.normal(0.5, 0.1, 2)) for i in range(8)}
    assert collapsed_runs(counted(values)).empty


def test_without_scatter_or_seeds_no_run_can_be_far() -> None:
    assert collapsed_runs(counted({"a": [0.5, 0.5, 0.5, 0.1]})).empty
    assert collapsed_runs(counted({"a": [0.5], "b": [0.1]})).empty
    assert collapsed_runs(counted({"a": [0.5, 0.51], "b": [0.1, 0.4]})).empty
