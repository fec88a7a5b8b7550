"""Searches whose runs are not trained: what they propose follows from the folders alone."""

import math
from dataclasses import replace
from typing import Any

import pytest

from cifar_exp.errors import UserError
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.search.space import Dimension, Space

LR = Dimension("optimizer.lr", "float", 1e-3, 1.0, is_log=True)
DROPOUT = Dimension("model.dropout", "float", 0.0, 0.5)
FINITE = Space(
    (Dimension("model.width", "choice", choices=(8, 16)), Dimension("model.depth", "int", 1, 3))
)
CONDITIONAL = Space(
    (
        Dimension("optimizer", "choice", choices=("sgd", "adam")),
        replace(LR, when=("optimizer", "sgd")),
        Dimension("optimizer.lr", "float", 1e-5, 1e-2, is_log=True, when=("optimizer", "adam")),
        DROPOUT,
    )
)
SAMPLERS = ("random", "tpe", "cmaes", "quasirandom")
ADAPTIVE = ("tpe", "cmaes")


def accuracy(params: dict[str, Any]) -> float:
    """Best at a rate of 0.1, a large width and no dropout."""
    rate = math.log10(params.get("optimizer.lr", 0.1)) + 1
    width, dropout = params.get("model.width", 8), params.get("model.dropout", 0)
    return 0.6 - 0.05 * rate**2 + 0.001 * width - 0.1 * dropout


def rows(lab: Any, sweep: str = "searched") -> list[str]:
    return [row.run_id for row in SweepFolder(lab.outputs / "sweeps" / sweep).rows()]


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_search_has_as_many_runs_as_it_was_asked_for_and_none_twice(lab: Any, name: str) -> None:
    source = lab.source(name=name, runs=14)
    trained = lab.drive(source, accuracy)
    assert len(trained) == len(set(trained)) == 14
    assert list(source.runs) == rows(lab) == trained
    assert source.note is None


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_search_that_was_killed_proposes_what_it_would_have_proposed(lab: Any, name: str) -> None:
    undisturbed = lab.drive(lab.source(sweep="whole", name=name, runs=14), accuracy)
    lab.outputs = lab.outputs.with_name("others")
    lab.drive(lab.source(sweep="killed", name=name, runs=14), accuracy, most=5)
    begun = lab.propose(lab.source(sweep="killed", name=name, runs=14))  # and then it is killed
    source = lab.source(sweep="killed", name=name, runs=14)
    assert lab.propose(source) == begun
    lab.drive(source, accuracy, most=6)
    lab.drive(lab.source(sweep="killed", name=name, runs=14), accuracy)
    assert rows(lab, "killed") == undisturbed


def test_another_seed_of_the_sampler_proposes_other_runs(lab: Any) -> None:
    first = lab.drive(lab.source(runs=3), accuracy)
    lab.outputs = lab.outputs.with_name("others")
    assert not set(first) & set(lab.drive(lab.source(runs=3, seed=1), accuracy))


@pytest.mark.parametrize("name", ADAPTIVE)
def test_an_adaptive_sampler_ends_nearer_to_the_best_than_it_began(lab: Any, name: str) -> None:
    trained = lab.drive(lab.source(name=name, runs=30), accuracy)
    reached = [accuracy(lab.made[run_id]) for run_id in trained]
    assert sum(reached[-10:]) > sum(reached[:10]) + 0.1


def test_free_workers_get_different_runs_while_others_are_training(lab: Any) -> None:
    source = lab.source(name="tpe", runs=6)
    first = lab.propose(source, 2)
    more = lab.propose(source, 2, busy=tuple(first))
    assert len({*first, *more}) == 4
    lab.end(first[1], 0.5)
    assert lab.propose(source, 3, busy=(first[0], *more)) == rows(lab)[4:]
    assert len(rows(lab)) == 6
    assert lab.propose(source, 3, busy=tuple(rows(lab))) == []


def test_what_was_begun_is_taken_up_before_anything_new(lab: Any) -> None:
    source = lab.source(runs=4)
    first, second, third = lab.propose(source, 3)
    lab.end(first, 0.3, status="interrupted")
    lab.end(second, 0.4)
    lab.end(third, None, status="failed", error="no memory")
    assert lab.propose(lab.source(runs=4), 3) == [first, third, rows(lab)[3]]


def test_two_processes_share_a_sweep_and_do_not_exceed_its_runs(lab: Any) -> None:
    one, two = lab.source(runs=5), lab.source(runs=5)
    first = lab.propose(one, 3)
    assert list(two.runs) == first
    lab.propose(two, 4, busy=tuple(first))
    assert len(rows(lab)) == 5
    assert lab.propose(one, 4, busy=tuple(rows(lab))) == []
    assert list(one.runs) == list(two.runs) == rows(lab)


def test_rows_that_are_not_of_this_search_are_left_alone(lab: Any) -> None:
    folder = SweepFolder(lab.outputs / "sweeps" / "searched")
    lab.source()
    folder.extend(lambda _: {"0123456789": {"optimizer.lr": 0.1}, "1123456789": {"model.depth": 3}})
    source = lab.source(runs=1)
    assert not source.runs
    assert rows(lab)[:2] == ["0123456789", "1123456789"]
    assert len(lab.propose(source)) == 1


def test_runs_of_a_wider_space_are_counted_but_do_not_inform(lab: Any) -> None:
    wide = Space((LR, DROPOUT))
    before = lab.drive(lab.source(wide, runs=4), accuracy)
    narrow = Space((replace(LR, low=0.9), DROPOUT))
    source = lab.source(narrow, name="tpe", runs=5)
    assert list(source.runs) == before
    (new,) = lab.drive(source, accuracy)
    assert lab.made[new]["optimizer.lr"] >= 0.9


def test_a_finite_space_is_used_up_without_repeating_anything(lab: Any) -> None:
    for name in ("random", "tpe", "quasirandom"):
        source = lab.source(FINITE, sweep=name, name=name, runs=50)
        lab.epochs = SAMPLERS.index(name) + 1  # other runs than those of the other samplers
        trained = lab.drive(source, accuracy)
        assert len(trained) == len(set(trained)) == 6
        assert source.note == "no new runs: all 6 configurations of the space are proposed"


def test_each_option_of_a_group_has_its_own_range(lab: Any) -> None:
    for run_id in lab.drive(lab.source(CONDITIONAL, name="tpe", runs=20), accuracy):
        rate = lab.made[run_id]["optimizer.lr"]
        ends = {"sgd": (1e-3, 1.0), "adam": (1e-5, 1e-2)}[lab.made[run_id]["optimizer"]]
        assert ends[0] <= rate <= ends[1]


def test_values_that_are_not_allowed_together_are_drawn_again(lab: Any) -> None:
    make_run = lab.make_run

    def narrow(values: dict[str, Any], seed: int) -> Any:
        if values["model.width"] == 16:
            raise UserError("model.width=16: does not go with this image size")
        return make_run(values, seed)

    lab.make_run = narrow
    assert len(lab.drive(lab.source(FINITE, runs=50), accuracy)) == 3
    lab.outputs = lab.outputs.with_name("others")
    with pytest.raises(UserError, match="does not go with this image size"):
        lab.propose(lab.source(Space((replace(FINITE.dimensions[0], choices=(16,)),)), runs=2))


def test_no_run_is_begun_when_the_minutes_are_used_up(lab: Any) -> None:
    source = lab.source(runs=10, budget_minutes=5)
    first, second = lab.propose(source, 2)
    lab.end(first, 0.5, train_seconds=200)
    lab.end(second, 0.1, train_seconds=99, status="interrupted")
    third = rows(lab)[-1]
    assert lab.propose(source, 2) == [second, rows(lab)[2]]
    third = rows(lab)[2]
    lab.end(second, 0.5, train_seconds=101)
    assert lab.propose(source, 2) == [third]  # it was begun: it is trained to its end
    lab.end(third, 0.5, train_seconds=60)
    assert lab.propose(source) == []
    note = "no new runs: 6.017 of search.budget_minutes=5 are used"
    assert source.note == note
    other = lab.source(runs=10, budget_minutes=5)
    assert (lab.propose(other), other.note) == ([], note)
    assert len(lab.propose(lab.source(runs=10, budget_minutes=7))) == 1


def test_no_run_is_begun_when_the_pflop_are_used_up(lab: Any) -> None:
    source = lab.source(budget_pflop=0.5)
    for _ in range(3):
        (run_id,) = lab.propose(source)
        lab.end(run_id, 0.5, pflop=0.2)
    assert lab.propose(source) == []
    assert source.note == "no new runs: 0.6 of search.budget_pflop=0.5 are used"


def test_a_hopeless_configuration_does_not_pay_for_all_seeds(lab: Any) -> None:
    source = lab.source(runs=6, seeds=3)
    (first,) = lab.propose(source)
    lab.end(first, 0.5)
    seeds = [first, *lab.drive(source, lambda _: 0.502, most=2)]
    assert [lab.made[run_id]["seed"] for run_id in seeds] == [0, 1, 2]
    settings = [{k: v for k, v in lab.made[i].items() if k != "seed"} for i in seeds]
    assert settings[0] == settings[1] == settings[2]
    (worse,) = lab.propose(source)
    lab.end(worse, 0.3)
    (equal,) = lab.propose(source)
    assert lab.made[equal]["seed"] == 0  # a new configuration, not the worse one's next seed
    lab.end(equal, 0.4995)
    (next_seed,) = lab.propose(source)
    assert lab.made[next_seed] == {**lab.made[equal], "seed": 1}
    assert lab.propose(source, busy=(next_seed,)) == []
    again = lab.source(runs=6, seeds=3)
    assert list(again.runs) == rows(lab)
    assert len(again.configurations) == 3


def test_accuracy_against_pflop_ends_with_what_is_best_at_every_cost(lab: Any) -> None:
    source = lab.source(FINITE, name="tpe", runs=4, objective="accuracy_and_pflop")
    reached = [(0.5, 2.0), (0.4, 1.0), (0.3, 1.5), (0.6, 4.0)]
    for (run_id,) in iter(lambda: lab.propose(source), []):
        best, pflop = reached[len(source.runs) - 1]
        lab.end(run_id, best, pflop=pflop)
    note = source.note
    assert note is not None
    assert note.startswith("best at every cost: 40.00 % at 1 PFLOP (model.width=")
    assert ["50.00 % at 2 PFLOP" in note, "60.00 % at 4 PFLOP" in note] == [True, True]
    assert "30.00 %" not in note
