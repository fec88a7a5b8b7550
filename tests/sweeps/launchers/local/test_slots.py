import pytest

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.runs.spec import Slot
from cifar_exp.sweeps.launchers.local.slots import divide


def test_on_a_cpu_each_run_has_a_core() -> None:
    assert divide(LocalOptions(), [], 6, 64.0) == [Slot(None, 1)] * 6


@pytest.mark.parametrize(
    ("memory_gb", "set_aside", "expected"),
    [(7.9, 2.0, [4, 4, 4]), (8.0, 2.0, [3, 3, 3, 3]), (1.0, 2.0, [12]), (5.0, 0.5, [1] * 10)],
)
def test_memory_limits_the_runs_at_a_time_and_each_then_has_more_threads(
    memory_gb: float, set_aside: float, expected: list[int]
) -> None:
    slots = divide(LocalOptions(memory_gb=set_aside), [], 12, memory_gb)
    assert [slot.threads for slot in slots] == expected


def test_memory_does_not_limit_an_explicit_number_of_jobs() -> None:
    assert divide(LocalOptions(n_jobs=3), [], 8, 0.5) == [Slot(None, 2)] * 3


def test_more_runs_than_cores_have_a_thread_each() -> None:
    assert divide(LocalOptions(n_jobs=5), [], 2, 64.0) == [Slot(None, 1)] * 5


def test_each_accelerator_has_a_run_and_an_equal_share_of_the_cores() -> None:
    slots = divide(LocalOptions(), ["cuda:0", "cuda:1"], 9, 1.0)
    assert slots == [Slot("cuda:0", 4), Slot("cuda:1", 4)]


def test_several_runs_for_each_device_take_the_devices_in_turn() -> None:
    slots = divide(LocalOptions(jobs_per_device=2), ["cuda:0", "cuda:1"], 16, 64.0)
    assert [slot.device for slot in slots] == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert {slot.threads for slot in slots} == {4}


def test_a_number_of_jobs_overrides_the_number_of_devices() -> None:
    slots = divide(LocalOptions(n_jobs=3, jobs_per_device=7), ["cuda:0", "cuda:1"], 3, 64.0)
    assert slots == [Slot("cuda:0", 1), Slot("cuda:1", 1), Slot("cuda:0", 1)]
