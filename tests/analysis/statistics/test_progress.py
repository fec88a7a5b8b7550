"""The best so far is by the compute of all runs, in the order in which they ended."""

from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.analysis.statistics.progress import all_progress, progress, reached

RUNS = (  # value, PFLOP, status; in the order in which they end
    (None, 1.0, "pruned"),
    (0.5, 2.0, "completed"),
    (None, 0.5, "diverged"),
    (0.4, 2.0, "completed"),
    (0.7, 2.0, "completed"),
    (0.9, 0.25, "pruned"),
)


@pytest.fixture
def search(outputs: Any) -> Any:
    """A sweep of RUNS, whose folders were not made in the order of their ends."""
    folders = []
    for i, (value, pflop, status) in reversed(list(enumerate(RUNS))):
        end = f"2026-11-02T00:00:{i:02d}+00:00"
        shared = {"compute": {"pflop": pflop}, "finished_at": end}
        folders.append(outputs.run(val=value, status=status, model__width=8 + i, **shared))
    outputs.sweep("search", folders)
    return outputs


def test_the_best_so_far_is_of_completed_runs_and_the_compute_of_all(search: Any) -> None:
    table = all_progress(search.statistics(), [])
    assert table["compute"].tolist() == list(accumulate(pflop for _, pflop, _ in RUNS))
    assert table["best"].tolist()[1:] == [0.5, 0.5, 0.5, 0.7, 0.7]
    assert np.isnan(table["best"].iloc[0])
    assert table["status"].tolist() == [status for _, _, status in RUNS]
    assert table["value"].dropna().tolist() == [0.5, 0.4, 0.7]
    assert reached(table, 0.5, 1) == 3.0
    assert reached(table, 0.6, 1) == 7.5
    assert np.isnan(reached(table, 0.8, 1))


def test_of_a_loss_the_lowest_is_the_best(search: Any) -> None:
    table = all_progress(search.statistics(metric="val_loss"), [])
    assert table["best"].dropna().tolist() == pytest.approx([1.5, 1.5, 1.5, 1.3, 1.3])


def test_runs_whose_compute_is_unknown_have_no_progress(search: Any) -> None:
    runs = search.statistics().runs.assign(pflop=np.nan)
    assert progress(runs, METRICS["val_accuracy"], "x").empty


def test_only_sweeps_with_the_same_data_and_device_stand_beside_each_other(search: Any) -> None:
    same = [search.run(val=0.6, model__width=w) for w in (32, 48, 64)]
    search.sweep("same", same)
    for name, widths in (("other", (32, 48, 64)), ("few", (80,))):
        how = {"device": "cuda"} if name == "other" else {}
        search.sweep(name, [search.run(val=0.6, model__width=w, compute=how) for w in widths])
    search.run(val=0.8, model__width=128)  # in no sweep
    groups = search.all_statistics()
    (own,) = (each for each in groups if each.group.title == "search")
    table = all_progress(own, groups)
    assert list(pd.unique(table["series"])) == ["search", "same"]
    assert table.loc[table["series"] == "same", "compute"].tolist() == [0.5, 1.0, 1.5]


def test_a_sweep_that_has_not_begun_stands_beside_others(search: Any) -> None:
    search.sweep("pending", [], pending=["0123456789"])
    groups = search.all_statistics()
    (own,) = (each for each in groups if each.group.title == "pending")
    assert all_progress(own, groups).empty


def test_an_end_that_is_no_time_is_none(search: Any) -> None:
    runs = search.statistics().runs
    ends = runs["finished_at"].tolist()
    table = progress(runs.assign(finished_at=["later", *ends[1:]]), METRICS["val_accuracy"], "x")
    assert len(table) == len(RUNS) - 1
