"""After another machine has taken a run over, nothing that its last holder writes lands."""

import os
import shutil
from collections.abc import Callable
from contextvars import Context
from pathlib import Path

import pytest

from cifar_exp.storage.atomic import write_text
from cifar_exp.storage.cleanup import settle, settle_held
from cifar_exp.storage.lock import RunTakenOverError, lock_path, lock_run
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import RunDirectory, link_latest, rerun_path
from cifar_exp.storage.run_state import read_state

RUN = "0123456789"

TakeOver = Callable[[Path, str], Context]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / f"tiny-{RUN}"
    (folder / "checkpoints").mkdir(parents=True)
    return folder


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".locks" not in path.parts)
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_a_run_that_was_taken_over_cannot_be_written(
    tmp_path: Path, home: Path, take_over: TakeOver
) -> None:
    with lock_run(tmp_path, RUN):
        write_text(home / "run.json", "ours")
        take_over(tmp_path, RUN).run(write_text, home / "run.json", "theirs")
        with pytest.raises(RunTakenOverError, match=rf"^run {RUN} was taken over by process"):
            write_text(home / "run.json", "ours again")
        RunDirectory(home).append_log("ours")
    assert content(tmp_path) == {f"tiny-{RUN}/run.json": "theirs"}


def test_a_run_whose_lock_was_removed_cannot_be_written(tmp_path: Path, home: Path) -> None:
    with lock_run(tmp_path, RUN):
        shutil.rmtree(tmp_path / ".locks")
        with pytest.raises(RunTakenOverError, match="by another process"):
            write_text(home / "run.json", "ours")
    assert content(tmp_path) == {}


@pytest.mark.parametrize("name", ["run.json", "checkpoints/last.pt"])
def test_a_rename_that_was_checked_before_the_take_over_finds_nothing_to_rename(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, take_over: TakeOver, name: str
) -> None:
    real, path = os.replace, home / name

    def freeze_before(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "replace", real)
        take_over(tmp_path, RUN).run(write_text, path, "theirs")
        real(source, target)

    with lock_run(tmp_path, RUN):
        monkeypatch.setattr(os, "replace", freeze_before)
        with pytest.raises(RunTakenOverError):
            write_text(path, "ours")
    assert content(tmp_path) == {f"tiny-{RUN}/{name}": "theirs"}


def test_a_write_that_was_under_way_during_the_take_over_does_not_land(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, take_over: TakeOver
) -> None:
    real = os.fsync

    def freeze_in(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", real)
        take_over(tmp_path, RUN)
        real(descriptor)

    with lock_run(tmp_path, RUN):
        monkeypatch.setattr(os, "fsync", freeze_in)
        with pytest.raises(RunTakenOverError):
            write_text(home / "run.json", "ours")
    assert content(tmp_path) == {}


def test_weights_that_wait_to_replace_a_checkpoint_survive_a_take_over(
    tmp_path: Path, home: Path, take_over: TakeOver
) -> None:
    with lock_run(tmp_path, RUN):
        write_text(RunDirectory(home).reduced, "weights")
        take_over(tmp_path, RUN)
    assert content(home) == {"checkpoints/.writing-last.pt": "weights"}


def clear(home: Path) -> None:
    RunDirectory(home).clear()


def reduce(home: Path) -> None:
    RunDirectory(home).reduce("none")


def publish(home: Path) -> None:
    settle_held(home.parent, RUN)


@pytest.mark.parametrize("change", [clear, reduce, publish])
def test_a_run_that_was_taken_over_is_neither_cleared_nor_reduced_nor_replaced(
    tmp_path: Path,
    home: Path,
    make_record: Callable[..., RunRecord],
    take_over: TakeOver,
    change: Callable[[Path], None],
) -> None:
    for folder in (home, rerun_path(home)):
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoints" / "last.pt").write_text(folder.name)
        make_record("completed", run_id=RUN).save(folder)
    before = content(tmp_path)
    with lock_run(tmp_path, RUN):
        take_over(tmp_path, RUN)
        with pytest.raises(RunTakenOverError):
            change(home)
        with pytest.raises(RunTakenOverError):
            link_latest(tmp_path, home)
    assert content(tmp_path) == before


def test_a_holder_that_has_lost_its_run_frees_only_its_own_lease(
    tmp_path: Path, take_over: TakeOver
) -> None:
    with lock_run(tmp_path, RUN):
        take_over(tmp_path, RUN)
        theirs = lock_path(tmp_path, RUN).read_bytes()
    assert lock_path(tmp_path, RUN).read_bytes() == theirs != b""


def test_a_run_whose_holder_was_watched_until_it_counts_as_dead_is_freed_for_all(
    tmp_path: Path,
    home: Path,
    make_record: Callable[..., RunRecord],
    monkeypatch: pytest.MonkeyPatch,
    take_over: TakeOver,
) -> None:
    make_record("running", run_id=RUN).save(home)
    take_over(tmp_path, RUN)
    assert not settle(tmp_path, RUN, home)
    assert read_state(tmp_path, RUN, home).status == "running"
    monkeypatch.setattr("cifar_exp.storage.liveness.LEASE_SECONDS", 0.0)
    settle(tmp_path, RUN, home)
    assert lock_path(tmp_path, RUN).read_bytes() == b""  # another process need not watch it too
    assert read_state(tmp_path, RUN, home).status == "interrupted"
