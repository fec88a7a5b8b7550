import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cifar_exp.config.identity import run_id
from cifar_exp.config.schema import Settings
from cifar_exp.data.registry import load_dataset
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line
from cifar_exp.storage.selection import SelectedConfiguration, Selection
from cifar_exp.sweeps.plan import Plan, make_plan, sweep_name
from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.sweeps.trial import Grid, Search, Trial


def silent(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def base() -> Settings:
    """The default recipe on generated images."""
    return check_command_line(parse_arguments(["data=shapes"])).settings[0]


def changed(settings: Settings, **groups: Any) -> Settings:
    """A copy with other values: `changed(settings, seed=1, model={"width": 8})`."""
    update = {
        name: getattr(settings, name).model_copy(update=value) if isinstance(value, dict) else value
        for name, value in groups.items()
    }
    return settings.model_copy(update=update)


def grid_of(*settings: Settings, keys: tuple[str, ...] = ("seed",), **more: Any) -> Grid:
    trials = [Trial(s, "base", (f"seed={s.seed}",), {"seed": s.seed}) for s in settings]
    return Grid(trials, keys, is_sweep=True, **more)


def plan_of(*settings: Settings, **more: Any) -> Plan:
    return make_plan(grid_of(*settings, **more), silent)


def test_equal_trials_are_one_run_with_the_values_of_the_first(base: Settings) -> None:
    trials = [changed(base, seed=seed) for seed in (2, 0, 2, 1, 0)]
    trials[2] = changed(trials[2], trainer={"threads": 3}, rerun=True, data={"root": "elsewhere"})
    plan = plan_of(*trials)
    assert [run.trial.settings for run in plan.runs] == [trials[0], trials[1], trials[3]]
    assert plan.trials == 5
    assert list(plan.by_id) == [run.run_id for run in plan.runs]


def test_runs_have_the_ids_of_their_settings(base: Settings) -> None:
    trials = [changed(base, model={"width": width}) for width in (8, 16, 32)]
    plan = plan_of(*trials)
    assert [run.run_id for run in plan.runs] == [run_id(settings) for settings in trials]
    assert run_id(base) in plan.by_id  # 32 is what the file says


def test_sweeps_and_runs_are_in_sibling_folders(base: Settings) -> None:
    plan = plan_of(base, option="mine")
    assert plan.folder == Path("outputs/sweeps/mine")
    assert plan.runs_folder == Path("outputs/runs")


@pytest.mark.parametrize(
    ("option", "keys", "name"),
    [
        ("width_dropout", ("seed", "model.width"), "width_dropout"),
        (None, ("seed", "model.width", "model.dropout"), "model.dropout-model.width-seed"),
        (None, ("model.width", "seed", "model.dropout"), "model.dropout-model.width-seed"),
        (None, (), "single"),
        ("deep/er and wider", (), "deep_er_and_wider"),
    ],
)
def test_a_sweep_is_named_by_its_option_or_by_what_is_swept(
    option: str | None, keys: tuple[str, ...], name: str
) -> None:
    assert sweep_name(grid_of(keys=keys, option=option), {}) == name


def test_fixed_settings_add_a_short_hash_to_the_name() -> None:
    grid = grid_of(keys=("seed",))
    fixed: list[dict[str, Any]] = [
        {},
        {"model.width": 8},
        {"model.width": 16},
        {"model.width": 8, "keep": [1, None]},
    ]
    names = [sweep_name(grid, values) for values in fixed]
    assert names[0] == "seed"
    assert all(re.fullmatch(r"seed-[0-9a-f]{6}", name) for name in names[1:])
    assert len(set(names)) == len(names)
    assert sweep_name(grid, {"keep": [1, None], "model.width": 8}) == names[3]


def test_values_are_not_part_of_the_name(base: Settings) -> None:
    few = plan_of(changed(base, seed=1))
    more = plan_of(*[changed(base, seed=seed) for seed in range(4)])
    assert few.name == more.name == "seed"


def test_a_long_name_is_cut_and_stays_unique() -> None:
    keys = [tuple(f"model.argument_{i}" for i in range(n)) for n in (20, 21)]
    names = {sweep_name(grid_of(keys=key, fixed={}), {"seed": 1}) for key in keys}
    assert len(names) == 2
    assert all(len(name) < 100 for name in names)


def copy_of(pictures: Path, folder: Path) -> Path:
    return Path(shutil.copytree(pictures, folder))


def test_the_images_of_a_folder_are_part_of_ids_and_name(
    small_settings: Callable[..., Settings], pictures: Path, tmp_path: Path
) -> None:
    settings = small_settings()
    same, other = copy_of(pictures, tmp_path / "same"), copy_of(pictures, tmp_path / "other")
    Image.new("RGB", (16, 16)).save(other / "train" / "across" / "000.png")
    plans = [
        plan_of(changed(settings, data={"root": str(root)})) for root in (pictures, same, other)
    ]
    fingerprint = load_dataset(settings.data, silent).fingerprint
    assert plans[0].runs[0].run_id == run_id(settings, fingerprint)
    assert plans[0].fixed == {"data.fingerprint": [fingerprint]}
    assert re.fullmatch(r"seed-[0-9a-f]{6}", plans[0].name)
    for of in (lambda p: p.name, lambda p: p.runs[0].run_id):
        assert of(plans[0]) == of(plans[1]) != of(plans[2])


def test_a_sweep_is_not_confirmed_on_other_images(
    small_settings: Callable[..., Settings], pictures: Path, tmp_path: Path
) -> None:
    settings = small_settings()
    fresh = list(plan_of(settings).by_id)
    selected = SelectedConfiguration("width=8", 1, 0.5, ["0123456789"], fresh)
    confirms = Selection("mine", "val_accuracy", 4, [selected])
    plan = plan_of(settings, confirms=confirms)
    assert plan.name == "mine-confirm"
    assert plan.entry("").confirms == confirms
    other = copy_of(pictures, tmp_path / "other")
    Image.new("RGB", (16, 16)).save(other / "train" / "across" / "000.png")
    with pytest.raises(UserError, match=r"images at data\.root are not those"):
        plan_of(changed(settings, data={"root": str(other)}), confirms=confirms)


def test_the_heading_of_a_plan_says_what_it_confirms(base: Settings) -> None:
    trials = [changed(base, seed=seed, model={"width": w}) for seed in (3, 5) for w in (8, 16)]
    assert plan_of(*trials).heading == [f"sweep    {plan_of(*trials).folder}"]
    fresh = list(plan_of(*trials).by_id)
    selected = SelectedConfiguration("width=8", 1, 0.5, ["0123456789"], fresh)
    plan = plan_of(*trials, confirms=Selection("mine", "val_accuracy", 9, [selected]), note="so")
    assert plan.heading == [
        "sweep    outputs/sweeps/mine-confirm",
        "confirms outputs/sweeps/mine: 2 of its 9 configurations, on seeds that it did not use: "
        "3, 5",
        "note     so",
    ]


def test_a_folder_is_read_once_for_each_size(
    small_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counted(section: Any, report: Any) -> Any:
        asked.append(section.image_size)
        return load_dataset(section, report)

    monkeypatch.setattr("cifar_exp.data.registry.load_dataset", counted)
    settings = small_settings()
    trials = [
        changed(settings, seed=seed, data={"image_size": size})
        for seed in range(3)
        for size in (16, 12)
    ]
    plan = plan_of(*trials)
    assert asked == [16, 12]
    assert len(plan.fixed["data.fingerprint"]) == len(set(plan.fixed["data.fingerprint"])) == 2


@pytest.mark.parametrize(
    ("data", "images"),
    [
        ({}, (45_000, 5_000 + 2_000)),
        ({"val_fraction": 0.0}, (50_000, 2_000)),
        ({"limit_train": 1000, "val_fraction": 0.25}, (750, 250 + 750)),
        ({"limit_train": 60_000, "val_fraction": 0.5}, (25_000, 25_000 + 2_000)),
    ],
    ids=str,
)
def test_the_cost_counts_each_training_image_once_an_epoch_and_evaluation(
    base: Settings, data: dict[str, Any], images: tuple[int, int]
) -> None:
    settings = changed(base, data=data, trainer={"epochs": 3})
    (run,) = plan_of(settings).runs
    assert run.cost is not None
    trained, images_evaluated_per_epoch = images
    assert run.cost.images == pytest.approx(
        3 * trained + (3 * images_evaluated_per_epoch + 10_000) / 3
    )


def test_the_cost_of_a_folder_counts_its_own_images(
    small_settings: Callable[..., Settings],
) -> None:
    (run,) = plan_of(small_settings("trainer.epochs=5")).runs
    assert run.cost is not None
    # three quarters of 4 x 32; after each epoch val and those; at last 32 for the test
    assert run.cost.images == pytest.approx(5 * 96 + (5 * (32 + 96) + 32) / 3)


def test_the_cost_of_a_users_own_network_is_unknown(
    make_settings: Callable[..., Settings],
) -> None:
    (run,) = plan_of(make_settings("data=shapes", "model=resnet18")).runs
    assert run.cost is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            [
                {"model.width": w, "model.dropout": d, "seed": s}
                for w in (8, 16, 32)
                for d in (0.0, 0.2)
                for s in (0, 1)
            ],
            "3 widths x 2 dropouts x 2 seeds = 12 runs",
        ),
        (
            [{"trainer.epochs": e, "optimizer.lr": lr} for e in (1, 2) for lr in (0.1, 0.2)],
            "2 values of epochs x 2 values of lr = 4 runs",
        ),
        ([{"optimizer": o, "seed": 0} for o in ("sgd", "adam")], "2 optimizers: 2 runs"),
        ([{"seed": 0}], "1 run"),
        ([{"model.width": i, "model.depth": i} for i in (1, 2, 3)], "3 runs"),  # moved together
    ],
)
def test_a_grid_is_told_by_its_factors_where_they_multiply_to_it(
    base: Settings, values: list[dict[str, Any]], expected: str
) -> None:
    trials = [Trial(changed(base, seed=i), "base", (), own) for i, own in enumerate(values)]
    assert make_plan(Grid(trials, tuple(values[0]), is_sweep=True), silent).grid == expected


def test_equal_trials_of_a_grid_are_told(base: Settings) -> None:
    trials = [
        Trial(base, "base", (), {"model.width": 32, "keep": keep}) for keep in ("all", "none")
    ]
    plan = make_plan(Grid(trials, ("model.width", "keep"), is_sweep=True), silent)
    assert plan.grid == "2 trials, some of them equal, so 1 run"


def test_a_search_is_planned_without_runs_and_named_by_its_sampler_too(base: Settings) -> None:
    def make_trial(values: Mapping[str, Any], seed: int) -> Trial:
        return Trial(changed(base, seed=seed, model=dict(values)), "base", (), values)

    space = Space((Dimension("model.width", "int", 8, 16),))
    grid = grid_of(base, keys=("model.width",), search=Search(space, make_trial, "-tpe-seed1"))
    plan = make_plan(grid, silent)
    assert (plan.name, list(plan.runs), plan.settings) == ("model.width-tpe-seed1", [], base)
    assert re.fullmatch(r"model\.width-tpe-seed1-[0-9a-f]{6}", sweep_name(grid, {"keep": "all"}))
    assert plan.search is not None
    run = plan.search.make_run({"width": 12}, 3)
    (expected,) = plan_of(changed(base, seed=3, model={"width": 12})).runs
    assert (run.run_id, run.cost) == (expected.run_id, expected.cost)
