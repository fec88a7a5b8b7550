import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cifar_exp.data.registry import load_dataset
from cifar_exp.runs.build import Compute, build_components
from cifar_exp.runs.workload import Workload
from cifar_exp.training.trainer import Loop

# stem none, one convolution a stage: 3 -> 4 at full size and 4 -> 8 at half, pooled in between
OVERRIDES = ("model.stem=none", "model.depth=1", "model.head_pooling=mean")


def macs(size: int) -> int:
    return 9 * (3 * 4 * size**2 + 4 * 8 * (size // 2) ** 2) + 8 * 4


@pytest.fixture
def loop(small_settings: Callable) -> Loop:
    settings = small_settings(*OVERRIDES)
    dataset = load_dataset(settings.data, lambda *_: None)
    return build_components(settings, dataset, Compute(torch.device("cpu"), "fp32", 1), Path()).loop


MACS = {size: macs(size) for size in (12, 16)}


def test_time_left_weighs_steps_by_their_resolution_and_counts_validation(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 10.0)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    work = Workload(loop, MACS, evaluated_images=40)
    work.begin()
    loop.step_in_epoch = 3
    # 3 of 18 steps of 16 images took 10 s; 6 more at 12 pixels and 9 at 16, and three validations
    done = 3 * 3 * 16 * macs(12)
    left = 3 * 16 * (6 * macs(12) + 9 * macs(16)) + 3 * 40 * macs(16)
    assert work.seconds_left() == pytest.approx(10 * left / done)


def test_nothing_is_estimated_before_the_first_step(loop: Loop) -> None:
    assert Workload(loop, MACS, 40).seconds_left() == 0


def test_speed_counts_images_since_the_start_not_those_before_a_resume(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 2.0)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    loop.epoch = 1
    work = Workload(loop, MACS, 0)
    work.begin()
    loop.step_in_epoch = 5
    assert work.steps_timed == 5
    assert work.images_per_second() == pytest.approx(5 * 16 / 2)


def test_compute_counts_all_steps_from_the_runs_beginning(loop: Loop) -> None:
    loop.epoch = 3
    expected = 6 * 16 * 9 * (macs(12) + macs(16)) / 1e15
    assert Workload(loop, MACS, 0).pflop() == pytest.approx(expected)
