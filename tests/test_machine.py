import os
from pathlib import Path

import pytest

from cifar_exp import machine
from cifar_exp.machine import available_cores, total_memory_gb


def test_the_cores_are_those_given_to_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {0, 3, 5}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: given, raising=False)
    assert available_cores() == 3


def test_without_affinity_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert available_cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([], 8.0),
        (["max\n"], 8.0),
        (["3221225472\n"], 3.0),
        (["max", "1073741824"], 1.0),
        (["9223372036854771712"], 8.0),  # what a container without a limit says
    ],
)
def test_memory_is_the_machines_or_the_containers_where_that_is_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: list[str], expected: float
) -> None:
    files = [tmp_path / str(index) for index in range(len(limits))]
    for file, text in zip(files, limits, strict=True):
        file.write_text(text)
    monkeypatch.setattr(machine, "LIMITS", [*map(str, files), str(tmp_path / "absent")])
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2 * 2**20}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    assert total_memory_gb() == expected
