import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState, read_state
from cifar_exp.sweeps.duration import (
    DurationModel,
    TimingSample,
    longest_first,
    makespan,
    seconds_left,
    timing_sample,
)
from cifar_exp.training.cost import DatasetSizes, RunCost, estimate_cost

# An image costs 2 s and 5 s in networks of 100 and 400 units of work an image.
SAMPLES = [TimingSample(100.0, 2.0, 1), TimingSample(400.0, 5.0, 1)]
MakeState = Callable[..., RunState]


@pytest.fixture
def state_of(make_record: Callable[..., RunRecord]) -> MakeState:
    """The state of a run of eight epochs on 50 images, with 20 for validation."""

    def state(
        status: str = "completed",
        epoch: int = 4,
        elapsed: float = 100.0,
        train_seconds: float = 80.0,
        pflop: float = 8.0,
        test_size: int = 0,
    ) -> RunState:
        sizes = (50, 20, test_size)
        record = make_record(
            status, sizes=sizes, threads=2, pflop=pflop, train_seconds=train_seconds
        )
        row = {"epoch": float(epoch), "elapsed_seconds": elapsed}
        return RunState(record.run_id, None, record, None, row)

    return state


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("trainer.resolution_scales=[]", "trainer.resolution_until=[]", "model.stem=none"),
        ("trainer.epochs=4", "model.depth=1", "model.head_width=6"),
    ],
    ids=str,
)
def test_the_estimated_cost_is_what_the_run_then_records(
    small_settings: Callable[..., Settings], tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    # six steps an epoch; half of them at the lower resolution
    settings = small_settings("trainer.progress=none", "trainer.epochs=2", *overrides)
    outcome = execute(RunSpec(settings, "tiny", (), tmp_path / "outputs"))
    record = outcome.record
    data = record.dataset
    cost = estimate_cost(settings, DatasetSizes(data.classes, data.train_size, data.val_size, 32))
    assert cost is not None
    epochs = settings.trainer.epochs
    images_evaluated_per_epoch = (
        epochs * (32 + 96) + 32
    )  # val and a part of train after each epoch; test
    assert (data.train_size, data.val_size, data.test_size) == (96, 32, 32)
    assert cost.images == pytest.approx(epochs * 96 + images_evaluated_per_epoch / 3)
    evaluation = 2 * record.model.macs * images_evaluated_per_epoch / 1e15
    assert cost.pflop == pytest.approx(record.compute.pflop + evaluation, rel=1e-9)
    sample = timing_sample(read_state(outcome.folder.parent, record.run_id, outcome.folder))
    assert sample is not None
    assert sample.per_image == pytest.approx(cost.per_image, rel=1e-9)
    assert sample.threads == 1
    seconds = sample.seconds_per_image * cost.images
    assert seconds > record.compute.train_seconds  # looking at val and test takes its time too


def test_the_cost_of_a_users_own_network_is_unknown(
    make_settings: Callable[..., Settings],
) -> None:
    sizes = DatasetSizes(100, 45_000, 5_000, 10_000)
    assert estimate_cost(make_settings("model=resnet18"), sizes) is None


def test_a_sample_counts_all_images_and_the_time_for_the_test_set(state_of: MakeState) -> None:
    sample = timing_sample(state_of(test_size=700))
    assert sample is not None
    # 20 s for evaluating 20 + 50 images four times; 50 s for ten times as many test images
    images = 4 * 50 + (4 * (20 + 50) + 700) / 3
    assert sample.seconds_per_image == pytest.approx((100.0 + 50.0) / images)
    assert sample.per_image == pytest.approx(8.0 / images)
    assert sample.threads == 2


def test_a_pending_run_is_not_a_sample() -> None:
    assert timing_sample(RunState("0123456789")) is None


@pytest.mark.parametrize(
    "changes",
    [{"status": "running"}, {"status": "failed"}, {"epoch": 0}, {"pflop": 0.0}],
    ids=str,
)
def test_a_run_that_is_not_completed_is_not_a_sample(
    state_of: MakeState, changes: dict[str, Any]
) -> None:
    assert timing_sample(state_of(**changes)) is None


DAMAGES: dict[str, Callable[[RunState], RunState]] = {
    "no elapsed seconds": lambda state: replace(state, row={"epoch": 4.0}),
    "no epoch": lambda state: replace(state, row={"elapsed_seconds": 100.0}),
    "not a number": lambda state: replace(state, row={"epoch": math.nan, "elapsed_seconds": 1.0}),
    "endless": lambda state: replace(state, row={"epoch": 4.0, "elapsed_seconds": math.inf}),
    "negative": lambda state: replace(state, row={"epoch": 4.0, "elapsed_seconds": -1.0}),
    "no images": lambda state: changed(state, "dataset", train_size=0, val_size=0, test_size=0),
    "negative images": lambda state: changed(state, "dataset", train_size=-50, val_size=-20),
    "negative macs": lambda state: changed(state, "model", macs=-(10**18)),
    "negative work": lambda state: changed(state, "compute", pflop=-1.0),
    "no threads": lambda state: changed(state, "compute", threads=0),
}


def changed(state: RunState, part: str, **values: Any) -> RunState:
    """The state with other values in a part of its record."""
    assert state.record is not None
    new = getattr(state.record, part).model_copy(update=values)
    return replace(state, record=state.record.model_copy(update={part: new}))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_neither_a_sample_nor_an_error(
    state_of: MakeState, damage: str
) -> None:
    state = DAMAGES[damage](state_of())
    assert timing_sample(state) is None
    durations = DurationModel(SAMPLES)
    for cost in (RunCost(10, 1000.0), None):
        left = seconds_left(replace(state), cost, durations)
        assert left is None or 0 <= left < math.inf


def test_without_samples_or_cost_no_time_is_known() -> None:
    assert DurationModel([]).seconds(RunCost(10, 1.0)) is None
    assert DurationModel(SAMPLES).seconds(None) is None


def test_between_two_samples_time_follows_the_line_between_their_logarithms() -> None:
    for work in (100, 130, 200, 399, 400):
        cost = RunCost(7, 7.0 * work)
        expected = 7 * math.exp(np.interp(math.log(work), np.log([100, 400]), np.log([2, 5])))
        assert DurationModel(SAMPLES).seconds(cost) == pytest.approx(expected)


@pytest.mark.parametrize("work", [1.0, 50.0, 1600.0, 1e5])
def test_beyond_the_samples_time_grows_with_a_fixed_power_of_the_work(work: float) -> None:
    nearest, power = ((100, 2), 0.5) if work < 100 else ((400, 5), 0.8)
    expected = 3 * nearest[1] * (work / nearest[0]) ** power
    assert DurationModel(SAMPLES).seconds(RunCost(3, 3 * work)) == pytest.approx(expected)


def test_each_interval_between_samples_has_its_own_line() -> None:
    durations = DurationModel([*SAMPLES, TimingSample(1600.0, 20.0, 1)])
    assert durations.seconds(RunCost(1, 200.0)) == pytest.approx(math.sqrt(2 * 5))
    assert durations.seconds(RunCost(1, 800.0)) == pytest.approx(math.sqrt(5 * 20))


def test_one_sample_is_extended_with_the_fixed_slopes() -> None:
    durations = DurationModel([TimingSample(100.0, 2.0, 1)])
    assert durations.seconds(RunCost(5, 500.0)) == pytest.approx(10.0)
    assert durations.seconds(RunCost(5, 125.0)) == pytest.approx(10.0 / 2)
    assert durations.seconds(RunCost(5, 16_000.0)) == pytest.approx(10.0 * 32**0.8)


def test_equal_runs_count_by_their_median() -> None:
    seconds = (9.0, 1.0, 2.0)  # one was disturbed
    durations = DurationModel([TimingSample(100.0, s, 1) for s in seconds])
    assert durations.seconds(RunCost(1, 100.0)) == pytest.approx(2.0)


def test_samples_with_the_same_number_of_threads_are_preferred() -> None:
    examples = [
        TimingSample(100.0, 2.0, 4),
        TimingSample(100.0, 6.0, 1),
        TimingSample(400.0, 1.0, 2),
    ]
    assert DurationModel(examples, threads=1).seconds(RunCost(1, 100.0)) == pytest.approx(6.0)
    assert DurationModel(examples, threads=4).seconds(RunCost(1, 100.0)) == pytest.approx(2.0)


def test_samples_with_other_numbers_of_threads_are_scaled() -> None:
    examples = [TimingSample(100.0, 2.0, 4), TimingSample(400.0, 5.0, 2)]
    durations = DurationModel(examples, threads=8)
    assert durations.seconds(RunCost(1, 100.0)) == pytest.approx(1.0)
    assert durations.seconds(RunCost(1, 400.0)) == pytest.approx(1.25)


def test_a_run_in_progress_is_estimated_from_its_own_speed(state_of: MakeState) -> None:
    state = state_of(status="running", elapsed=60.0, train_seconds=60.0, pflop=2.0)
    durations = DurationModel([TimingSample(1.0, 1e6, 1)])
    # 60 s for a quarter of the work, though half of the epochs are done: those to come are larger
    assert seconds_left(state, RunCost(400, 8.0), durations) == pytest.approx(180.0)
    assert seconds_left(state, None, durations) == pytest.approx(60.0)


def test_a_run_before_its_first_epoch_is_estimated_from_others() -> None:
    durations = DurationModel(SAMPLES)
    assert seconds_left(RunState("0123456789"), RunCost(3, 300.0), durations) == pytest.approx(6.0)
    assert seconds_left(RunState("0123456789"), None, durations) is None


def simulated(running: list[int], waiting: list[int], jobs: int) -> int:
    """Simulates second by second: each run takes the first free slot."""
    slots, waiting, clock = [*running], list(waiting), 0
    while slots or waiting:
        while waiting and len(slots) < jobs:
            slots.append(waiting.pop(0))
        clock += 1
        slots = [left - 1 for left in slots if left > 1]
    return clock


@pytest.mark.parametrize("jobs", [1, 2, 3, 5])
def test_the_makespan_agrees_with_a_simulation(jobs: int) -> None:
    generator = np.random.RandomState(jobs)
    for _ in range(30):
        running = generator.randint(1, 40, generator.randint(0, jobs + 1)).tolist()
        waiting = generator.randint(1, 40, generator.randint(0, 12)).tolist()
        assert makespan(running, waiting, jobs) == simulated(running, waiting, jobs)


def test_runs_are_ordered_by_decreasing_cost_with_unknown_ones_first() -> None:
    costs = {"a": RunCost(10, 2.0), "b": None, "c": RunCost(1, 30.0), "d": RunCost(99, 2.0)}
    assert longest_first(costs, ["a", "b", "c", "d", "e"]) == ["b", "e", "c", "a", "d"]
    assert longest_first(costs, ["d", "a", "e"]) == ["e", "d", "a"]  # as given where equal
    assert longest_first({}, []) == []
