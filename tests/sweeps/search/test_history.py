"""What a search learns from runs: its own, and those of other sweeps."""

from typing import Any

import pytest

from cifar_exp.sweeps.search.history import Result, observation, result_of
from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.space import Dimension, Space

SPACE = Space((Dimension("optimizer.lr", "float", 1e-3, 1.0, is_log=True),))


def known(source: Any, lab: Any) -> list[tuple[float, float]]:
    """The rate and accuracy of all that a search knows now."""
    source.foreign.refresh(source.runs.keys())
    history = source._history(source._ended(lab.states(source)))
    return [(each.values["optimizer.lr"], each.accuracy) for each in history]


def train(lab: Any, rate: float, accuracy: float, seed: int = 0, **record: Any) -> str:
    run_id = lab.make_run({"optimizer.lr": rate}, seed).run_id
    lab.end(run_id, accuracy, **record)
    return run_id


def test_runs_of_other_sweeps_inform_where_everything_else_is_equal(lab: Any) -> None:
    source = lab.source(SPACE, runs=2)
    train(lab, 0.1, 0.5, finished_at="2026-11-02")
    train(lab, 0.2, 0.3, finished_at="2026-11-01")
    train(lab, 0.3, 0.4, seed=7, finished_at="2026-11-03")  # seeds are instances
    train(lab, 5.0, 0.9)  # outside
    train(lab, 0.4, 0.9, status="failed", error="no memory")
    lab.epochs = 99
    train(lab, 0.5, 0.9)
    lab.epochs = 8
    assert known(source, lab) == [(0.2, 0.3), (0.1, 0.5), (0.3, 0.4)]


def test_a_run_of_another_sweep_is_neither_counted_nor_proposed(lab: Any) -> None:
    (would_be,) = lab.propose(lab.source(SPACE, runs=1))
    rate = lab.made[would_be]["optimizer.lr"]
    lab.outputs = lab.outputs.with_name("others")
    source = lab.source(SPACE, runs=2)
    train(lab, rate, 0.5, seed=3)
    trained = lab.drive(source, lambda _: 0.4)
    assert len(trained) == 2
    assert rate not in [lab.made[run_id]["optimizer.lr"] for run_id in trained]


def test_a_run_of_another_sweep_is_read_again_when_its_record_has_changed(lab: Any) -> None:
    source = lab.source(SPACE, runs=2)
    train(lab, 0.1, 0.2, status="running")
    assert known(source, lab) == []
    train(lab, 0.1, 0.5)
    assert known(source, lab) == [(0.1, 0.5)]


def test_runs_of_others_in_a_space_that_is_used_up_are_told(lab: Any) -> None:
    space = Space((Dimension("model.width", "int", 1, 3),))
    source = lab.source(space, runs=9)
    lab.end(lab.make_run({"model.width": 2}, 0).run_id, 0.5)
    assert len(lab.drive(source, lambda _: 0.5)) == 2
    assert source.note == (
        "no new runs: all 2 configurations of the space are proposed, "
        "and 1 more are of other sweeps"
    )


def test_a_configuration_is_known_by_the_mean_of_its_ended_seeds(lab: Any) -> None:
    source = lab.source(SPACE, runs=3, seeds=3)
    (first,) = lab.propose(source)
    rate = lab.made[first]["optimizer.lr"]
    lab.end(first, 0.5)
    (second,) = lab.propose(source)
    assert known(source, lab) == [(rate, 0.5)]
    lab.end(second, 0.6)
    assert known(source, lab) == [(rate, 0.55)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", Result(0.5, 2.0)),
        ("diverged", Result(0.0, 2.0)),
        ("pruned", Result(0.5, 2.0, 4)),
        ("failed", None),
        ("interrupted", None),
        ("running", None),
    ],
)
def test_how_a_run_ended_decides_what_it_tells(
    make_record: Any, status: Any, expected: Any
) -> None:
    record = make_record(status, final=0.5, epochs=4, pflop=2.0)
    assert result_of(record) == expected


def test_paused_seeds_count_only_while_no_seed_is_whole() -> None:
    early, late, whole = Result(0.6, 1, 2), Result(0.2, 2, 5), Result(0.4, 6)
    assert observation({}, []) is None
    assert observation({}, [early, late]) == Observation({}, 0.2, 2, 5)
    assert observation({}, [early, whole]) == Observation({}, 0.4, 6)
