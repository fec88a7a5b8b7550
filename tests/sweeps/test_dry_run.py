import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer, settings_tree
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.atomic import write_csv
from cifar_exp.storage.record import RunRecord
from cifar_exp.sweeps.dry_run import dry_run, plan_as_json
from cifar_exp.sweeps.duration import TimingSample
from cifar_exp.sweeps.forecast import Machine
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.trial import Trial
from cifar_exp.training.cost import RunCost

# ten epochs on 100 images, each looked at once more after every epoch, at a third of the price
IMAGES, PFLOP = 10 * 100 * 4 / 3, 2.0
MakePlan = Callable[..., Plan]
WriteRun = Callable[..., None]


@pytest.fixture(scope="module")
def settings() -> Settings:
    with open_composer(parse_arguments([])) as compose:
        return validate(settings_tree(compose.compose(["data=shapes", "trainer.device=cpu"])))


def eight_cores(jobs: int = 8, *samples: TimingSample) -> Machine:
    """A machine with eight cores, divided among jobs; a step that is timed gives the samples."""
    return Machine(lambda: [Slot(None, 8 // jobs)] * jobs, lambda *_: samples)


def unasked(*_arguments: object) -> Any:
    raise AssertionError("the machine was looked at")


def lines_of(plan: Plan, machine: Machine, **options: bool) -> list[str]:
    lines: list[str] = []
    dry_run(plan, machine, lambda line, **_: lines.append(line), **options)
    return lines


@pytest.fixture
def plan_of(settings: Settings, tmp_path: Path) -> MakePlan:
    """A plan of runs with equal costs; their seeds are the swept values."""

    def plan(*run_ids: str, trials: int | None = None, **changes: Any) -> Plan:
        runs = [
            PlannedRun(
                run_id,
                Trial(
                    settings.model_copy(update={"seed": i, **changes}),
                    "base",
                    (),
                    {"seed": i, "keep": "all"},
                ),
                RunCost(IMAGES, PFLOP),
            )
            for i, run_id in enumerate(run_ids)
        ]
        return Plan("mine", ("seed", "keep"), runs, trials or len(runs), {}, tmp_path / "outputs")

    return plan


@pytest.fixture
def write_run(make_record: Callable[..., RunRecord], tmp_path: Path) -> WriteRun:
    """Writes a run of ten epochs with the cost of a planned one, of which `epoch` are done."""

    def write(
        run_id: str,
        status: str = "completed",
        *,
        epoch: int = 10,
        seconds: float = 60.0,
        threads: int = 1,
    ) -> None:
        done = {"pflop": PFLOP * epoch / 10, "train_seconds": seconds}
        record = make_record(status, run_id=run_id, epochs=10, threads=threads, **done)
        folder = tmp_path / "outputs" / "runs" / f"tiny-{run_id}"
        folder.mkdir(parents=True)
        record.save(folder)
        row = {"epoch": epoch, "elapsed_seconds": seconds}
        write_csv(folder / "metrics.csv", list(row), [row])

    return write


def seconds_of(lines: list[str]) -> float:
    (line,) = [line for line in lines if line.startswith("time")]
    found = re.fullmatch(r"time     about (\d+) (s|min), .*", line)
    assert found, line
    return float(found[1]) * (60 if found[2] == "min" else 1)


def test_the_plan_opens_with_its_grid_and_writes_nothing(plan_of: MakePlan, tmp_path: Path) -> None:
    plan = plan_of("0123456789", "12e4567890")
    assert lines_of(plan, eight_cores(2)) == [
        f"sweep    {tmp_path}/outputs/sweeps/mine",
        "grid     2 seeds: 2 runs; 0 done, 2 to train",
        "  0123456789  pending      seed=0 keep=all",
        "  12e4567890  pending      seed=1 keep=all",
        "jobs     2 at a time, 4 threads each",
        "probe    no run has completed yet: timing a training step",
        "time     unknown: no training step could be timed on this machine",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_long_plan_lists_twenty_runs_unless_all_are_asked_for(plan_of: MakePlan) -> None:
    plan = plan_of(*(f"{i:010d}" for i in range(25)))
    lines = lines_of(plan, eight_cores())
    assert [line.split()[0] for line in lines[2:22]] == [f"{i:010d}" for i in range(20)]
    assert lines[22] == "         and 5 more; plan=all lists every run"
    every = lines_of(plan, eight_cores(), shows_all=True)
    assert [line.split()[0] for line in every[2:27]] == list(plan.by_id)
    assert not any("more" in line for line in every)


@pytest.mark.parametrize("status", ["pending", "interrupted", "completed"])
def test_the_plan_of_a_single_run_names_the_runs_own_folder(
    plan_of: MakePlan, write_run: WriteRun, tmp_path: Path, status: str
) -> None:
    if status != "pending":
        write_run("a" * 10, status, epoch=5)
    lines = lines_of(replace(plan_of("a" * 10), is_sweep=False), eight_cores())
    label = "base" if status == "pending" else "tiny"
    assert lines[:2] == [
        f"run      {tmp_path}/outputs/runs/{label}-{'a' * 10}",
        f"status   {status}",
    ]
    assert not any(line.startswith(("jobs", "grid", "sweep")) for line in lines)


@pytest.mark.parametrize(("seeds", "expected"), [((7, 7), 1), ((7, 8), 0)])
def test_a_sweep_of_one_seed_is_told_what_that_cannot_show(
    plan_of: MakePlan, seeds: tuple[int, int], expected: int
) -> None:
    plan = plan_of("a" * 10, "b" * 10)
    settings = [
        run.trial.settings.model_copy(update={"seed": s})
        for run, s in zip(plan.runs, seeds, strict=True)
    ]
    runs = [
        replace(r, trial=replace(r.trial, settings=s))
        for r, s in zip(plan.runs, settings, strict=True)
    ]
    lines = lines_of(replace(plan, runs=runs), eight_cores())
    assert sum(line.startswith("note     one seed each") for line in lines) == expected


def test_the_plan_shows_the_status_of_each_run(
    plan_of: MakePlan, write_run: WriteRun, tmp_path: Path
) -> None:
    for run_id, status in (("a" * 10, "completed"), ("b" * 10, "failed"), ("c" * 10, "diverged")):
        write_run(run_id, status)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    lines = lines_of(plan_of("a" * 10, "b" * 10, "c" * 10, "d" * 10), eight_cores())
    assert [line.split()[1] for line in lines[2:6]] == [
        "completed",
        "failed",
        "diverged",
        "pending",
    ]
    assert lines[1] == "grid     4 seeds: 4 runs; 2 done, 2 to train"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_finished_sweep_has_no_time(plan_of: MakePlan, write_run: WriteRun) -> None:
    write_run("a" * 10)
    write_run("b" * 10, "failed")
    lines = lines_of(plan_of("a" * 10, "b" * 10, retry_failed=False), eight_cores())
    assert lines[1] == "grid     2 seeds: 2 runs; 2 done, 0 to train"
    assert len(lines) == 4


@pytest.mark.parametrize(("jobs", "rounds"), [(1, 6), (2, 3), (4, 2), (6, 1)])
def test_the_time_follows_from_completed_runs(
    plan_of: MakePlan, write_run: WriteRun, jobs: int, rounds: int
) -> None:
    write_run("e" * 10, seconds=100.0, threads=8 // jobs)
    plan = plan_of(*(f"{i:010d}" for i in range(6)))
    seconds = seconds_of(lines_of(plan, eight_cores(jobs)))
    assert seconds == pytest.approx(100 * rounds, abs=40)  # given in minutes; a start takes seconds


def test_without_a_completed_run_the_time_follows_from_a_measured_step(plan_of: MakePlan) -> None:
    sample = TimingSample(PFLOP / IMAGES, 100.0 / IMAGES, threads=4)
    plan = plan_of(*(f"{i:010d}" for i in range(6)))
    lines = lines_of(plan, eight_cores(2, sample))
    assert lines[-2] == "probe    no run has completed yet: timing a training step"
    assert lines[-1] == "time     about 5 min, estimated from one training step"  # 305 s


def test_no_step_is_measured_for_runs_that_other_machines_train(plan_of: MakePlan) -> None:
    machine = Machine(eight_cores(4).capacity, None)
    assert lines_of(plan_of("a" * 10), machine)[-2:] == [
        "jobs     4 at a time, 2 threads each",
        "time     unknown: no run has completed yet on the machines of this launcher",
    ]


def test_with_a_completed_run_no_step_is_measured(plan_of: MakePlan, write_run: WriteRun) -> None:
    write_run("e" * 10, seconds=100.0)
    machine = Machine(eight_cores(8).capacity, unasked)
    line = lines_of(plan_of("a" * 10), machine)[-1]
    assert line == "time     about 2 min, from completed runs"


def test_as_json_a_plan_has_all_runs_and_no_lines(
    plan_of: MakePlan, write_run: WriteRun, tmp_path: Path
) -> None:
    write_run("a" * 10, seconds=60.0)
    plan = plan_of("a" * 10, "b" * 10)
    found = plan_as_json(plan, eight_cores(2))
    assert found["seconds"] == pytest.approx(5 + 15, rel=0.1)  # four threads instead of one
    del found["seconds"]
    assert found == {
        "sweep": "mine",
        "folder": f"{tmp_path}/outputs/sweeps/mine",
        "grid": "2 seeds: 2 runs",
        "trials": 2,
        "done": 1,
        "to_train": 1,
        "jobs": 2,
        "threads": 4,
        "basis": "from completed runs",
        "runs": [
            {
                "run_id": "a" * 10,
                "folder": f"{tmp_path}/outputs/runs/tiny-{'a' * 10}",
                "status": "completed",
                "is_missing": False,
                "values": {"seed": 0, "keep": "all"},
                "pflop": PFLOP,
            },
            {
                "run_id": "b" * 10,
                "folder": None,
                "status": "pending",
                "is_missing": True,
                "values": {"seed": 1, "keep": "all"},
                "pflop": PFLOP,
            },
        ],
    }


def test_as_json_a_finished_plan_takes_no_time_and_does_not_look_at_the_machine(
    plan_of: MakePlan, write_run: WriteRun
) -> None:
    write_run("a" * 10)
    found = plan_as_json(plan_of("a" * 10), Machine(unasked, unasked))
    assert (found["seconds"], found["jobs"], found["basis"]) == (0.0, None, None)


def test_fewer_threads_take_longer(plan_of: MakePlan, write_run: WriteRun) -> None:
    write_run("e" * 10, seconds=300.0, threads=8)
    plan = plan_of("a" * 10)
    whole = [seconds_of(lines_of(plan, eight_cores(n))) for n in (1, 8)]
    assert whole == pytest.approx([300, 2400], abs=40)


def test_an_interrupted_run_takes_only_the_rest_of_its_time(
    plan_of: MakePlan, write_run: WriteRun
) -> None:
    write_run("a" * 10, "interrupted", epoch=8, seconds=2400.0)
    write_run("b" * 10, seconds=3000.0)
    seconds = seconds_of(lines_of(plan_of("a" * 10, "b" * 10), eight_cores(8)))
    assert seconds == pytest.approx(600, abs=40)


def test_the_plan_says_that_the_cost_of_all_networks_is_unknown(
    plan_of: MakePlan, write_run: WriteRun
) -> None:
    write_run("b" * 10)
    plan = plan_of("a" * 10)
    plan = replace(plan, runs=[replace(plan.runs[0], cost=None)])
    assert lines_of(plan, eight_cores())[-1] == (
        "time     unknown: the cost of these networks is not known before they train"
    )


def test_a_run_of_unknown_cost_counts_as_an_average_one(
    plan_of: MakePlan, write_run: WriteRun, settings: Settings
) -> None:
    write_run("e" * 10, seconds=600.0)
    plan = plan_of("a" * 10, "b" * 10)
    other = PlannedRun("c" * 10, Trial(settings, "mine", (), {"seed": 2}), None)
    plan = Plan(plan.name, plan.keys, [*plan.runs, other], 3, {}, plan.outputs)
    seconds = seconds_of(lines_of(plan, eight_cores(8)))
    assert seconds == pytest.approx(600, abs=40)


def test_jobs_without_a_number_of_threads_have_all_of_them(plan_of: MakePlan) -> None:
    lines = lines_of(plan_of("a" * 10), Machine(lambda: [Slot()] * 4, lambda *_: []))
    assert lines[-3] == "jobs     4 at a time, all threads each"


def test_one_thread_is_a_thread(plan_of: MakePlan) -> None:
    lines = lines_of(plan_of("a" * 10), eight_cores())
    assert lines[-3] == "jobs     8 at a time, 1 thread each"


def test_a_finished_sweep_does_not_look_for_devices(plan_of: MakePlan, write_run: WriteRun) -> None:
    write_run("a" * 10)
    lines = lines_of(plan_of("a" * 10), Machine(unasked, unasked))
    assert lines[1] == "grid     1 run; 1 done, 0 to train"


def test_a_rerun_takes_its_whole_time(plan_of: MakePlan, write_run: WriteRun) -> None:
    write_run("a" * 10, seconds=3000.0)
    lines = lines_of(plan_of("a" * 10, rerun=True), eight_cores(8))
    assert seconds_of(lines) == pytest.approx(3000, abs=40)


@pytest.mark.parametrize("name", ["metrics.csv", "run.json"])
@pytest.mark.parametrize("content", [b"", b"epoch\n1,2,3\n", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_run_of_any_sweep_does_not_stop_a_plan(
    plan_of: MakePlan, write_run: WriteRun, tmp_path: Path, name: str, content: bytes
) -> None:
    write_run("d" * 10)
    write_run("e" * 10, seconds=600.0)
    (tmp_path / "outputs" / "runs" / f"tiny-{'d' * 10}" / name).write_bytes(content)
    seconds = seconds_of(lines_of(plan_of("a" * 10), eight_cores(8)))
    assert seconds == pytest.approx(600, abs=40)
