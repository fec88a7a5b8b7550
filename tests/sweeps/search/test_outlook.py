"""What is said of a search before it trains: how far it is, and how long the rest will take."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.errors import UserError
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.dry_run import dry_run, plan_as_json
from cifar_exp.sweeps.duration import TimingSample
from cifar_exp.sweeps.forecast import START_SECONDS, Machine
from cifar_exp.sweeps.plan import Plan, PlannedRun, PlannedSearch
from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.sweeps.trial import Trial
from cifar_exp.training.cost import RunCost

MakePlan = Callable[..., Plan]

RATE = Dimension("optimizer.lr", "float", 0.02, 1.0, is_log=True, prior=0.1)
WIDTH = Dimension("model.width", "int", 8, 40, step=8)
OPTIMIZER = Dimension("optimizer", "choice", choices=("sgd", "adamw"))
MOMENTUM = Dimension("optimizer.momentum", "float", 0.5, 0.9, when=("optimizer", "sgd"))
SECONDS = 60.0  # of a whole run on one thread
COST = RunCost(1000.0, 2.0)


@pytest.fixture
def plan_of(make_settings: Callable[..., Settings], tmp_path: Path) -> MakePlan:
    """The plan of a search whose runs all cost the same; `words` are keys of `search`."""

    def plan(
        *dimensions: Dimension, forbidden: float = -1.0, pruning: str = "none", **words: Any
    ) -> Plan:
        base = make_settings(f"pruning={pruning}")
        section = base.search.model_copy(update={"name": "random", **words})
        settings = base.model_copy(update={"search": section})

        def make_run(values: Mapping[str, Any], seed: int) -> PlannedRun:
            if values.get("model.width") == forbidden:
                raise UserError("not allowed")
            own = settings.model_copy(update={"seed": seed})
            run_id = f"{abs(hash((tuple(values.values()), seed))):010x}"[:10]
            return PlannedRun(run_id, Trial(own, "tiny", (), {**values, "seed": seed}), COST)

        return Plan(
            "mine",
            [dimension.key for dimension in dimensions],
            (),
            0,
            {},
            tmp_path / "outputs",
            example=Trial(settings, "tiny", (), {}),
            search=PlannedSearch(Space(dimensions), make_run),
        )

    return plan


def machine(jobs: int) -> Machine:
    """Every run takes SECONDS here."""
    sample = TimingSample(COST.per_image, SECONDS / COST.images, 1)
    return Machine(lambda: [Slot(threads=1)] * jobs, lambda *_: [sample])


def lines_of(plan: Plan, jobs: int = 1) -> list[str]:
    lines: list[str] = []
    dry_run(plan, machine(jobs), lambda line, **_: lines.append(line))
    return lines


def test_the_plan_of_a_search_shows_its_space_and_writes_nothing(
    plan_of: MakePlan, tmp_path: Path
) -> None:
    lines = lines_of(plan_of(RATE, WIDTH, OPTIMIZER, MOMENTUM, runs=40))
    assert lines[1:6] == [
        "search   random over 4 settings; 0 of 40 runs done",
        "  optimizer.lr: 0.02 to 1, by its logarithm, near 0.1",
        "  model.width: 8 to 40 by 8",
        "  optimizer: sgd, adamw",
        "  optimizer.momentum (optimizer=sgd): 0.5 to 0.9",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("jobs", "runs"), [(1, 10), (4, 10)])
def test_the_runs_to_be_proposed_take_as_long_as_others_in_the_space(
    plan_of: MakePlan, jobs: int, runs: int
) -> None:
    found = plan_as_json(plan_of(RATE, WIDTH, runs=runs, forbidden=16), machine(jobs))
    assert found["seconds"] == pytest.approx(START_SECONDS + SECONDS * -(-runs // jobs))
    assert (found["done"], found["to_train"], found["trials"]) == (0, runs, runs)


def test_a_budget_of_minutes_ends_a_search_sooner(plan_of: MakePlan) -> None:
    lines = lines_of(plan_of(RATE, runs=100, budget_minutes=8), jobs=2)
    assert lines[1] == "search   random over 1 setting; 0 of 100 runs done, 0 of 8 minutes used"
    assert lines[-1] == "time     about 4 min, until search.budget_minutes is used up"


def test_how_long_a_budget_of_pflop_lasts_is_not_known(plan_of: MakePlan) -> None:
    plan = plan_of(RATE, budget_pflop=8)
    assert lines_of(plan)[1] == ("search   random over 1 setting; 0 runs done, 0 of 8 PFLOP used")
    assert lines_of(plan)[-1] == "time     unknown: until search.budget_pflop is used up"
    assert plan_as_json(plan, machine(1))["to_train"] is None


def test_a_space_that_can_be_counted_ends_a_search_by_itself(plan_of: MakePlan) -> None:
    widths = range(8, 41, 8)
    assert f"0 of {len(widths) * 3} runs done" in lines_of(plan_of(WIDTH, seeds=3))[1]


@pytest.mark.parametrize(
    ("status", "told"),
    [("completed", "1 of 3 runs done"), ("pruned", "0 of 3 runs done, 1 paused")],
)
def test_runs_that_are_done_are_told_from_those_to_be_proposed(
    plan_of: MakePlan, make_record: Callable[..., RunRecord], status: str, told: str
) -> None:
    plan = plan_of(RATE, runs=3, pruning="asha")
    assert plan.search is not None
    run = plan.search.make_run({"optimizer.lr": 0.25}, 0)
    folder = SweepFolder(plan.folder)
    folder.enter(plan.entry("the command"))
    folder.extend(lambda _: {run.run_id: run.trial.values})
    record = make_record(status, run_id=run.run_id, epochs=10)
    home = plan.runs_folder / f"tiny-{run.run_id}"
    home.mkdir(parents=True)
    record.save(home)
    lines = lines_of(plan)
    assert lines[2] == f"search   random over 1 setting; {told}"
    assert lines[4] == f"  {run.run_id}  {status:<11}  optimizer.lr=0.25 seed=0"
