import os

import pytest
import torch

from cifar_exp.training import devices


def test_auto_takes_the_first_available_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "available_devices", lambda: ["cuda", "cpu"])
    assert devices.resolve_device("auto") == torch.device("cuda")


def test_a_device_that_does_not_exist_is_reported_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "available_devices", lambda: ["cuda", "cuda:1", "cpu"])
    with pytest.raises(ValueError, match=r"^not on this machine, which has cuda, cuda:1, cpu$"):
        devices.resolve_device("mps")
    with pytest.raises(ValueError, match="not on this machine"):
        devices.resolve_device("cuda:2")
    assert devices.resolve_device("cuda:0") == torch.device("cuda:0")
    assert devices.resolve_device("cuda:1") == torch.device("cuda:1")


def test_auto_precision_is_fp32_on_a_cpu() -> None:
    assert devices.resolve_precision("auto", torch.device("cpu")) == "fp32"
    assert devices.resolve_precision("bf16", torch.device("cpu")) == "bf16"


def test_auto_precision_is_bf16_from_ampere_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for capability, expected in (((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, c=capability: c)
        assert devices.resolve_precision("auto", torch.device("cuda")) == expected


def test_threads_are_as_set_or_all_cores_of_the_process() -> None:
    before = torch.get_num_threads()
    try:
        assert devices.use_threads(1) == torch.get_num_threads() == 1
        assert devices.use_threads("auto") == torch.get_num_threads()
        assert torch.get_num_threads() == len(os.sched_getaffinity(0))
    finally:
        torch.set_num_threads(before)


def test_denormal_numbers_become_zero() -> None:
    devices.use_threads(torch.get_num_threads())
    assert float(torch.tensor([1e-30]) * 1e-15) == 0.0


def test_the_cpu_allocators_own_error_counts_as_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert devices.is_out_of_memory(caught.value)
    assert devices.is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not devices.is_out_of_memory(RuntimeError("shapes do not fit"))


def test_the_processor_has_a_name() -> None:
    assert devices.device_name(torch.device("cpu"))


def test_peak_memory_includes_memory_that_was_freed() -> None:
    held = torch.ones(64 * 2**20 // 4)
    assert devices.peak_memory_mb(torch.device("cpu")) > held.nbytes / 2**20
