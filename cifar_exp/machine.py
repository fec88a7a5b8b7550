"""The cores and the memory that this process may use."""

import os
from pathlib import Path

GIB = 2**30
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_cores() -> int:
    """The number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def total_memory_gb() -> float:
    """Memory of the machine, or of the container where that is less; GiB.

    Free memory would be the wrong measure: the same command would do something else each time.
    """
    sizes = [float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))]
    for name in LIMITS:
        path = Path(name)
        if path.exists() and (text := path.read_text().strip()).isdigit():
            sizes.append(float(text))
    return min(sizes) / GIB
