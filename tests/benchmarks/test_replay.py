"""Replays of the recorded grid width x dropout; see benchmarks/replay.py."""

import csv
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from recorded import RecordedGrid
from replay import SWEEPS, Job, Method, ends, measure, recorded
from simulated import End

from cifar_exp.config.pruning import PruningSection
from cifar_exp.storage.reading import UnreadableError

FOLDER = SWEEPS[0]
RUNS = FOLDER.parents[1] / "runs"
EPOCHS = 8


@pytest.fixture(scope="module")
def grid() -> RecordedGrid:
    return recorded(FOLDER)


def is_best(end: End) -> bool:
    """Width 32 without dropout, by 2.5 points."""
    return end.run.configuration == ("32", "0.0")


def method(name: str) -> Method:
    return Method.named(name, PruningSection(grace=2))


@cache
def replay(name: str, workers: int = 1, number: int = 0) -> list[End]:
    return list(ends(recorded(FOLDER), Job(FOLDER, method(name), workers, number)))


def compute(run_id: str) -> float:
    record = json.loads((RUNS / f"base-{run_id}" / "run.json").read_text())
    return float(record["compute"]["pflop"])


def order(found: list[End]) -> list[str]:
    return [end.run.planned.run_id for end in found]


def test_a_replayed_grid_costs_what_was_recorded() -> None:
    found = replay("grid")
    assert all(end.is_complete for end in found)
    assert len(set(order(found))) == len(found) == 27
    assert found[-1].pflop == pytest.approx(sum(compute(run_id) for run_id in order(found)))


def test_a_replayed_search_trains_each_configuration_and_no_run_twice(grid: RecordedGrid) -> None:
    for name in ("random", "tpe", "quasirandom"):
        found = replay(name)
        assert len(set(order(found))) == len(found)
        assert {end.run.configuration for end in found} == set(grid.accuracies)
        assert found[-1].pflop == pytest.approx(sum(compute(run_id) for run_id in order(found)))


def test_one_worker_needs_the_seconds_of_all_runs_and_two_hardly_more_than_half() -> None:
    seconds = []
    for file in RUNS.glob("*/metrics.csv"):
        with file.open() as stream:
            seconds.append(float(list(csv.DictReader(stream))[-1]["elapsed_seconds"]))
    assert replay("grid")[-1].seconds == pytest.approx(sum(seconds))
    two = replay("grid", workers=2)[-1].seconds
    assert sum(seconds) / 2 <= two <= sum(seconds) / 2 + max(seconds)


def test_the_number_of_a_replay_decides_its_order() -> None:
    for name in ("grid", "random", "random+asha"):
        again = list(ends(recorded(FOLDER), Job(FOLDER, method(name), 1, 0)))
        assert order(again) == order(replay(name))
        assert order(replay(name, number=1)) != order(replay(name))


def test_a_paused_run_costs_its_epochs_once_also_if_it_goes_on_later(grid: RecordedGrid) -> None:
    found = replay("random+asha", workers=2)
    paused = {end.run.planned.run_id for end in found if not end.is_complete}
    complete = {end.run.planned.run_id for end in found if end.is_complete}
    assert paused & complete  # some were promoted
    left = paused - complete
    assert left
    spent = sum(grid.runs[run_id].pflop[-1] for run_id in complete)
    least = sum(grid.runs[run_id].pflop[2] for run_id in left)  # paused after epoch 2 or 6
    most = sum(grid.runs[run_id].pflop[6] for run_id in left)
    assert spent + least <= found[-1].pflop <= spent + most


def test_early_epochs_see_smaller_images_and_cost_less(grid: RecordedGrid) -> None:
    for run in grid.runs.values():
        costs = [after - before for before, after in pairwise(run.pflop)]
        assert all(b > 0.999 * a for a, b in pairwise(costs))
        assert (20 / 32) ** 2 < costs[0] / costs[-1] < 0.5  # parts of a network do not scale


def test_the_share_is_that_of_the_runs_before_the_best_and_its_own() -> None:
    found = measure(Job(FOLDER, method("grid"), 1, 0))
    names = order(replay("grid"))
    best = next(place for place, end in enumerate(replay("grid")) if is_best(end))
    pflop = [compute(run_id) for run_id in names]
    assert found["0.5"] == pytest.approx(sum(pflop[: best + 1]) / sum(pflop))
    assert found["1.0"] == found["0.5"]


def test_a_rule_that_pauses_the_best_for_good_never_finds_it() -> None:
    after_one = Method.named("random+top_k", PruningSection(grace=1, top=1))
    assert measure(Job(FOLDER, after_one, 1, 0))["0.5"] == float("inf")


def test_without_its_files_a_sweep_cannot_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"there is no sweep\.yaml"):
        RecordedGrid.load(tmp_path)
