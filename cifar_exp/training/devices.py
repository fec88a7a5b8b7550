"""The device, precision, threads and memory that a run computes with."""

import contextlib
import ctypes
import platform
import resource
import sys

import torch
from torch import Tensor

from cifar_exp.machine import available_cores

MEGABYTE = 2**20
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h


def resolve_device(name: str) -> torch.device:
    """`auto` is cuda, then mps, then cpu. Raises ValueError if the device does not exist."""
    available = available_devices()
    if name == "auto":
        return torch.device(available[0])
    if name.removesuffix(":0") not in available:
        raise ValueError(f"not on this machine, which has {', '.join(available)}")
    return torch.device(name)


def available_devices() -> list[str]:
    """Values that `trainer.device` can have on this machine, best first."""
    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    names = ["cuda", *names[1:]] if names else []
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def resolve_precision(name: str, device: torch.device) -> str:
    """`auto` is bf16 on devices that compute in it natively, and fp32 elsewhere."""
    if name != "auto":
        return name
    has_bf16 = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return "bf16" if has_bf16 else "fp32"


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """The context in which the network computes."""
    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def use_threads(threads: int | str) -> int:
    """Set torch's CPU threads (`auto`: all cores given to this process); returns the number."""
    count = available_cores() if threads == "auto" else int(threads)
    torch.set_num_threads(count)
    # denormal numbers make convolutions many times slower and do not affect results
    torch.set_flush_denormal(True)
    _keep_freed_memory()
    return count


def device_name(device: torch.device) -> str:
    """The accelerator's or the processor's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory in MiB: of the device, or on a CPU of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MEGABYTE
    with contextlib.suppress(OSError, StopIteration), open("/proc/self/status") as lines:
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MEGABYTE if sys.platform == "darwin" else peak / 1024


def reset_peak_memory(device: torch.device) -> None:
    """Reset what `peak_memory_mb` reports: the process may have trained another run before."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as stream:
        stream.write("5")  # on Linux this sets the peak to what is resident now


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device or the host ran out of memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # torch's CPU allocator raises a plain RuntimeError
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done its work, so that a clock read next includes it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's global generators."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Continue the draws from a state of `random_state`."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)


def _keep_freed_memory() -> None:
    """Let glibc keep the memory that a step frees, instead of mapping and zeroing it every step."""
    with contextlib.suppress(AttributeError, OSError):  # other C libraries have no mallopt
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 2**30)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
