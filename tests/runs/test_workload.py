import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cifar_exp.data.registry import load_dataset
from cifar_exp.runs.build import Compute, build_components
from cifar_exp.runs.workload import Workload
from cifar_exp.training.trainer import Trainer

# stem none, one convolution a stage: 3 -> 4 at full size and 4 -> 8 at half, pooled in between
OVERRIDES = ("model.stem=none", "model.depth=1", "model.head_pooling=mean")


def macs(size: int) -> int:
    return 9 * (3 * 4 * size**2 + 4 * 8 * (size // 2) ** 2) + 8 * 4


@pytest.fixture
def trainer(small_settings: Callable) -> Trainer:
    settings = small_settings(*OVERRIDES)
    dataset = load_dataset(settings.data, lambda *_: None)
    return build_components(
        settings, dataset, Compute(torch.device("cpu"), "fp32", 1), Path()
    ).trainer


MACS = {size: macs(size) for size in (12, 16)}


def test_time_left_weighs_steps_by_their_resolution_and_counts_validation(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 10.0)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    work = Workload(trainer, MACS)
    work.begin()
    trainer.step_in_epoch = 3
    # 3 of 18 steps of 16 images took 10 s; 6 more at 12 pixels and 9 at 16, and three validations
    done = 3 * 3 * 16 * macs(12)
    left = 3 * 16 * (6 * macs(12) + 9 * macs(16)) + 3 * (32 + 96) * macs(16)
    assert work.seconds_left() == pytest.approx(10 * left / done)


def test_nothing_is_estimated_before_the_first_step(trainer: Trainer) -> None:
    assert Workload(trainer, MACS).seconds_left() == 0


def test_speed_counts_images_since_the_start_not_those_before_a_resume(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 2.0)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    trainer.epoch = 1
    work = Workload(trainer, MACS)
    work.begin()
    trainer.step_in_epoch = 5
    assert work.steps_timed == 5
    assert work.images_per_second() == pytest.approx(5 * 16 / 2)


def test_compute_counts_all_steps_from_the_runs_beginning(trainer: Trainer) -> None:
    trainer.epoch = 3
    expected = 6 * 16 * 9 * (macs(12) + macs(16)) / 1e15
    assert Workload(trainer, MACS).pflop() == pytest.approx(expected)
