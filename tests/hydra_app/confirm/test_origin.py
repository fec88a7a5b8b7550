"""Sweeps that cannot be confirmed, and other sweeps in the way."""

from collections.abc import Callable, Mapping
from typing import Any

from cifar_exp.sweeps.plan import Plan

MistakesIn = Callable[..., list[str]]
Pretend = Callable[..., Plan]
LINE = ("--multirun", "data=shapes", "model=tiny", "model.width=2,4")


def test_a_confirmation_is_not_confirmed_itself(
    origin: Plan, pretend: Pretend, mistakes_in: MistakesIn
) -> None:
    made = pretend((f"confirm.sweep={origin.name}", "confirm.top=1"), lambda _: 0.5)
    assert mistakes_in(f"confirm.sweep={made.folder}") == [
        f"confirm.sweep={made.folder}: confirms {origin.name} itself; "
        f"confirm.sweep={origin.folder} continues it"
    ]


def test_a_sweep_of_the_same_name_is_not_mixed_with(
    origin: Plan, pretend: Pretend, mistakes_in: MistakesIn
) -> None:
    other = pretend(LINE, lambda _: 0.5)
    taken = origin.folder.with_name(f"{origin.name}-confirm")
    other.folder.rename(taken)
    assert mistakes_in(f"confirm.sweep={origin.folder}") == [
        f"confirm.sweep={origin.folder}: {taken} is another sweep; rename its folder"
    ]


def test_a_sweep_without_a_completed_run_has_no_best(
    pretend: Pretend, mistakes_in: MistakesIn
) -> None:
    made = pretend(LINE, lambda _: None)
    assert mistakes_in(f"confirm.sweep={made.folder}") == [
        f"confirm.sweep={made.folder}: none of its runs is completed"
    ]


def test_runs_that_cannot_be_compared_are_not_ranked_together(
    pretend: Pretend, mistakes_in: MistakesIn
) -> None:
    def parts(values: Mapping[str, Any]) -> dict[str, Any]:
        return {"dataset": {"split_seed": values["data.split_seed"]}}

    made = pretend((*LINE, "data.split_seed=0,1"), lambda _: 0.5, parts)
    name = made.name
    assert mistakes_in(f"confirm.sweep={made.folder}") == [
        f"confirm.sweep={made.folder}: its runs form 2 comparison groups ({name}, split 0; {name}, "
        "split 1), which cannot be ranked together; name a sweep that has only one"
    ]


def test_runs_that_have_not_started_do_not_stop_it(
    pretend: Pretend, plan_of: Callable[..., Plan]
) -> None:
    made = pretend(
        (*LINE, "seed=0,1"),
        lambda values: 0.1 * values["model.width"] if values["seed"] == 0 else None,
    )
    plan = plan_of(f"confirm.sweep={made.folder}", "confirm.top=1", "confirm.seeds=2")
    assert [run.trial.settings.seed for run in plan.runs] == [2, 3]
    assert [len(each.selected_on) for each in plan.confirms.selected] == [1]
