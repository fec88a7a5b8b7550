"""The trials of a command that confirms a sweep; what was not trained is made up."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config import identity
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.trial import Grid

PlanOf = Callable[..., Plan]
Pretend = Callable[..., Plan]
MistakesIn = Callable[..., list[str]]
WIDE, NARROW = (4, 0.0), (2, 0.0)


def trials(plan: Plan) -> list[tuple[Any, ...]]:
    """Width, dropout and seed of each run, as they are swept and as they are set."""
    found = []
    for run in plan.runs:
        swept = tuple(run.trial.values[key] for key in ("model.width", "model.dropout", "seed"))
        model: Any = run.trial.settings.model
        assert swept == (model.width, model.dropout, run.trial.settings.seed)
        found.append(swept)
    return found


def flat(values: Mapping[str, Any]) -> float:
    """Every run does equally well."""
    return 0.5 + 0.0 * values["seed"]


def test_the_best_are_trained_on_the_lowest_seeds_that_the_sweep_did_not_use(
    origin: Plan, plan_of: PlanOf
) -> None:
    line = (f"confirm.sweep={origin.folder}", "confirm.top=3", "confirm.seeds=2")
    best = [WIDE, (4, 0.2), NARROW]
    assert trials(plan_of(*line)) == [(*levels, seed) for seed in (2, 4) for levels in best]


def test_three_configurations_and_five_seeds_are_the_default(origin: Plan, plan_of: PlanOf) -> None:
    plan = plan_of(f"confirm.sweep={origin.folder}")
    assert len(plan.runs) == 15
    assert sorted({seed for *_, seed in trials(plan)}) == [2, 4, 5, 6, 7]


def test_a_trial_is_the_run_that_the_sweep_would_make_of_this_seed(
    origin: Plan, plan_of: PlanOf
) -> None:
    line = ("--multirun", "data=shapes", "model=tiny", "model.width=4", "model.dropout=0.0")
    same = plan_of(*line, "seed=2,4")
    plan = plan_of(f"confirm.sweep={origin.folder}", "confirm.top=1", "confirm.seeds=2")
    assert [run.run_id for run in plan.runs] == [run.run_id for run in same.runs]
    for run in plan.runs:
        overrides = [line for line in run.trial.overrides if not line.startswith("confirm.")]
        assert plan_of(*overrides).runs[0].run_id == run.run_id


def test_the_plan_is_a_sweep_of_its_own_and_makes_no_folder(origin: Plan, plan_of: PlanOf) -> None:
    plan = plan_of(f"confirm.sweep={origin.folder}", "confirm.top=1", "confirm.seeds=1")
    assert plan.folder == origin.folder.with_name(f"{origin.name}-confirm")
    assert not plan.folder.exists()
    assert plan.keys == ["model.width", "model.dropout", "seed"]
    assert plan.fixed == origin.fixed


def test_its_file_names_the_sweep_the_runs_that_selected_and_those_that_confirm(
    origin: Plan, pretend: Pretend
) -> None:
    line = (f"confirm.sweep={origin.folder}", "confirm.top=1", "confirm.seeds=2")
    plan = pretend(line, flat)
    confirms = SweepFolder(plan.folder).load_file().confirms
    (selected,) = confirms.selected
    assert (confirms.sweep, confirms.metric) == (origin.name, "val_accuracy")
    assert (confirms.configurations, confirms.baselines) == (4, [])
    own = [run for run in origin.runs if run.trial.values["model.width"] == 4]
    own = [run for run in own if run.trial.values["model.dropout"] == 0]
    assert selected.selected_on == [run.run_id for run in own]
    assert selected.confirmed_on == [run.run_id for run in plan.runs]
    assert (selected.configuration, selected.rank) == ("width=4 dropout=0", 1)
    assert selected.mean == pytest.approx(0.4 + 0.001 * (0 + 1 + 3) / 3)


def test_the_name_of_the_sweep_is_enough(origin: Plan, plan_of: PlanOf) -> None:
    for text in (origin.name, f"outputs/sweeps/{origin.name}/", str(origin.folder.resolve())):
        assert plan_of(f"confirm.sweep={text}").name == f"{origin.name}-confirm"


def test_more_seeds_and_more_configurations_extend_it(
    origin: Plan, plan_of: PlanOf, pretend: Pretend
) -> None:
    sweep = f"confirm.sweep={origin.folder}"
    pretend((sweep, "confirm.top=1", "confirm.seeds=2"), flat)
    seeds = [seed for *_, seed in trials(plan_of(sweep, "confirm.top=1", "confirm.seeds=4"))]
    assert seeds == [2, 4, 5, 6]
    more = pretend((sweep, "confirm.top=2", "confirm.seeds=2"), flat)
    assert trials(more) == [(*levels, seed) for seed in (2, 4) for levels in (WIDE, (4, 0.2))]
    file = SweepFolder(more.folder)
    assert [each.rank for each in file.load_file().confirms.selected] == [1, 2]
    assert [len(each.confirmed_on) for each in file.load_file().confirms.selected] == [2, 2]
    assert len(file.rows()) == 4
    assert trials(plan_of(sweep, "confirm.top=1", "confirm.seeds=1")) == [(*WIDE, 2)]


def test_a_sweep_that_has_grown_since_does_not_change_what_is_confirmed(
    origin: Plan, plan_of: PlanOf, pretend: Pretend
) -> None:
    line = (f"confirm.sweep={origin.folder}", "confirm.top=1", "confirm.seeds=2")
    before = pretend(line, flat)
    line_of = ("--multirun", "data=shapes", "model=tiny", "model.width=2,8", "model.dropout=0,0.2")
    grown = pretend(
        (*line_of, "seed=0,1,2,3,4,5"), lambda v: v["model.width"] / 10 - v["model.dropout"]
    )
    assert grown.folder == origin.folder
    assert before.note is None
    plan = plan_of(*line)
    assert plan.by_id.keys() == before.by_id.keys()
    assert plan.note == (
        "width=8 dropout=0 is the best now, but the selection stays as it was; "
        "confirm.top=2 adds it"
    )
    assert plan.heading[-1] == f"note     {plan.note}"
    again = plan_of(line[0], "confirm.top=1", "confirm.seeds=3")
    assert [seed for *_, seed in trials(again)] == [2, 4, 6]  # 5 is no fresh seed any more
    (selected,) = again.confirms.selected
    assert selected.selected_on == before.confirms.selected[0].selected_on


def test_runs_with_fresh_seeds_do_not_select(
    origin: Plan, plan_of: PlanOf, pretend: Pretend
) -> None:
    sweep = f"confirm.sweep={origin.folder}"
    pretend((sweep, "confirm.top=1", "confirm.seeds=1"), flat)
    line = ("--multirun", "data=shapes", "model=tiny", "model.width=2,4", "model.dropout=0.0,0.2")
    pretend((*line, "seed=2"), lambda values: 0.99 if values["model.width"] == 2 else 0.01)
    plan = plan_of(sweep, "confirm.top=3", "confirm.seeds=1")
    assert trials(plan) == [(*WIDE, 2), (4, 0.2, 2), (*NARROW, 2)]


def test_a_baseline_is_trained_too_unless_it_is_among_the_best(
    origin: Plan, plan_of: PlanOf
) -> None:
    line = (f"confirm.sweep={origin.folder}", "confirm.top=1", "confirm.seeds=1")
    plan = plan_of(*line, "confirm.baseline=width=2 dropout=0.2")
    assert trials(plan) == [(*WIDE, 2), (2, 0.2, 2)]
    assert [each.rank for each in plan.confirms.baselines] == [4]
    plan = plan_of(*line, f"confirm.baseline={origin.runs[0].run_id}")
    assert trials(plan) == [(*WIDE, 2), (*NARROW, 2)]
    assert trials(plan_of(*line, "confirm.baseline=width=4 dropout=0")) == [(*WIDE, 2)]


def test_a_baseline_that_is_selected_later_is_one_configuration(
    origin: Plan, pretend: Pretend
) -> None:
    line = (f"confirm.sweep={origin.folder}", "confirm.seeds=1")
    pretend((*line, "confirm.top=1", "confirm.baseline=width=4 dropout=0.2"), flat)
    plan = pretend((*line, "confirm.top=2"), flat)
    confirms = SweepFolder(plan.folder).load_file().confirms
    assert ([each.rank for each in confirms.selected], confirms.baselines) == ([1, 2], [])
    assert [len(each.confirmed_on) for each in confirms.selected] == [1, 1]


def test_the_settings_are_the_runs_own_whatever_gave_them(
    plan_of: PlanOf, pretend: Pretend, own_yaml: Callable[..., Path]
) -> None:
    yaml = {"model/mine": "_target_: torchvision.models.resnet18\nwidth_per_group: 8\n"}
    own = own_yaml(**yaml, **{"sweep/mine": SWEEP_FILE})
    line = ("--config-dir", str(own), "sweep=mine", "+model.zero_init_residual=true")
    made = pretend(line, lambda values: values["optimizer.lr"])
    assert not made.name.endswith("-confirm")
    shutil.rmtree(own)
    plan = plan_of(f"confirm.sweep={made.folder}", "confirm.top=1", "confirm.seeds=2")
    (settings, _) = (run.trial.settings for run in plan.runs)
    assert settings.model.arguments == {"width_per_group": 8, "zero_init_residual": True}
    assert settings.optimizer.name == "adamw"
    assert [run.trial.label for run in plan.runs] == ["mine", "mine"]
    assert [run.trial.values for run in plan.runs] == [
        {"optimizer": "adamw", "optimizer.lr": 0.005, "seed": seed} for seed in (1, 2)
    ]


SWEEP_FILE = """\
# @package _global_
defaults: [{override /data: shapes}, {override /model: mine}]
trainer: {threads: 3}
hydra:
  mode: MULTIRUN
  sweeper:
    paired:
      - {optimizer: adam, optimizer.lr: 0.002}
      - {optimizer: adamw, optimizer.lr: 0.005}
"""


def test_words_that_do_not_decide_a_result_are_those_of_the_command(
    grid_of: Callable[..., Grid], pretend: Pretend
) -> None:
    line = ("--multirun", "data=shapes", "model=tiny", "model.width=2,4", "trainer.threads=3")
    made = pretend((*line, "trainer.progress=none", "report=false", "keep=none"), flat_width)
    grid = grid_of(f"confirm.sweep={made.folder}", "confirm.top=1", "plan=true", "keep=all")
    settings = grid.settings[0]
    assert (settings.plan, settings.report, settings.keep) == (True, True, "all")
    assert (settings.trainer.progress, settings.trainer.threads) == ("auto", 3)
    assert settings.confirm.sweep is None
    assert grid.trials[0].overrides == (
        "data=shapes",
        "model=tiny",
        "model.width=4",
        "trainer.threads=3",
        "plan=true",
        "keep=all",
        "seed=1",
    )


def flat_width(values: Mapping[str, Any]) -> float:
    return 0.1 * values["model.width"]


def test_launchers_of_hydra_compose_the_same_runs(origin: Plan, plan_of: PlanOf) -> None:
    sweep = f"confirm.sweep={origin.folder}"
    ours, theirs = plan_of(sweep), plan_of(sweep, "hydra/launcher=basic")
    assert ours.by_id.keys() == theirs.by_id.keys()


def test_launchers_of_hydra_need_the_options_that_the_run_was_made_with(
    pretend: Pretend, mistakes_in: MistakesIn, own_yaml: Callable[..., Path]
) -> None:
    own = own_yaml(**{"optimizer/mine": "defaults: [sgd, _self_]\nlr: 0.123\n"})
    line = ("--multirun", "data=shapes", "model=tiny", "model.width=2,4", "optimizer=mine")
    made = pretend(("--config-dir", str(own), *line), flat_width)
    confirm = (f"confirm.sweep={made.folder}", "confirm.top=1", "hydra/launcher=basic")
    (sentence,) = mistakes_in(*confirm)
    assert sentence.startswith("optimizer=mine: no such option; optimizer may be adam, ")
    own_yaml(**{"optimizer/mine": "defaults: [sgd, _self_]\nlr: 0.124\n"})
    (sentence,) = mistakes_in("--config-dir", str(own), *confirm)
    assert sentence == (
        "data=shapes model=tiny model.width=4 optimizer=mine seed=1: no longer gives the settings "
        "of the run that it was typed for, so Hydra cannot compose them; leave out the settings of "
        "hydra"
    )


def test_a_run_that_would_be_another_now_is_a_mistake(
    origin: Plan, mistakes_in: MistakesIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "NUMERICS", identity.NUMERICS + 1)
    (sentence,) = mistakes_in(f"confirm.sweep={origin.folder}", "confirm.top=1")
    assert sentence.startswith(
        f"confirm.sweep={origin.folder}: width=4 dropout=0: outputs/runs/tiny-"
    )
    assert sentence.endswith(
        ": its settings name another run now, because the source of its class or of cifar_exp has "
        "changed since"
    )


def test_any_run_of_a_configuration_gives_its_settings(
    origin: Plan, plan_of: PlanOf, mistakes_in: MistakesIn, pretend: Pretend
) -> None:
    line = (f"confirm.sweep={origin.folder}", "confirm.top=1", "confirm.seeds=1")
    plan = pretend(line, flat)
    (selected,) = plan.confirms.selected
    runs = [*selected.selected_on, *selected.confirmed_on]
    for run_id in runs[:-1]:
        assert trials(plan_of(*line)) == [(*WIDE, 2)]
        shutil.rmtree(origin.runs_folder / f"tiny-{run_id}")
    assert trials(plan_of(*line)) == [(*WIDE, 2)]
    shutil.rmtree(origin.runs_folder / f"tiny-{runs[-1]}")
    assert mistakes_in(*line) == [
        f"confirm.sweep={origin.folder}: width=4 dropout=0: its runs are gone"
    ]
