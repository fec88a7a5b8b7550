import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.lock import lock_path, lock_run
from cifar_exp.storage.metrics import last_row
from cifar_exp.storage.record import PrunedInfo, RunRecord, Status
from cifar_exp.storage.run_state import STATUSES, RunState, read_state, read_states, run_folders

A, B = "0123456789", "12e4567890"
WriteRun = Callable[..., Path]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def write_run(make_record: Callable[..., RunRecord]) -> WriteRun:
    """Writes a run of three epochs, of which `epochs` are done."""

    def write(folder: Path, run_id: str, status: str, epochs: int = 0, **more: Any) -> Path:
        folder.mkdir()
        make_record(status, run_id=run_id, epochs=3, **more).save(folder)
        rows = [f"{epoch},{epoch / 10},,{epoch * 2.5}\n" for epoch in range(1, epochs + 1)]
        header = "epoch,val_accuracy,train_accuracy,elapsed_seconds\n"
        (folder / "metrics.csv").write_text(header + "".join(rows))
        return folder

    return write


def write_holder(runs: Path, run_id: str, host: str, pid: int, heartbeat: float) -> None:
    path = lock_path(runs, run_id)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"host": host, "pid": pid, "heartbeat": heartbeat}))


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_without_a_folder_a_run_is_pending(runs: Path) -> None:
    assert read_states(runs, [A]) == {A: RunState(A)}
    assert RunState(A).status == "pending"
    assert (RunState(A).epoch, RunState(A).epochs, RunState(A).reason) == (0, None, None)


def test_a_run_with_a_folder_but_no_record_is_pending(runs: Path) -> None:
    folder = runs / f"tiny-{A}"
    folder.mkdir()
    state = read_states(runs, [A])[A]
    assert (state.folder, state.status, state.reason) == (folder, "pending", None)
    (folder / "run.json").write_text("{")
    assert read_states(runs, [A])[A].status == "pending"


def test_a_held_run_is_running_whatever_its_record_says(runs: Path, write_run: WriteRun) -> None:
    write_run(runs / f"tiny-{A}", A, "interrupted", epochs=2)
    with lock_run(runs, A), lock_run(runs, B):
        states = read_states(runs, [A, B])
        assert [state.status for state in states.values()] == ["running", "running"]
        holder = states[A].holder
        assert holder is not None
        assert (holder.host, holder.pid) == (socket.gethostname(), os.getpid())
        assert (states[A].epoch, states[A].epochs, states[A].reason) == (2, 3, None)
    assert [s.status for s in read_states(runs, [A, B]).values()] == ["interrupted", "pending"]


def test_a_run_whose_process_is_gone_is_interrupted(runs: Path, write_run: WriteRun) -> None:
    write_run(runs / f"tiny-{A}", A, "running", epochs=1)
    write_holder(runs, A, socket.gethostname(), dead_pid(), time.time())
    state = read_states(runs, [A])[A]
    assert (state.status, state.holder) == ("interrupted", None)
    assert state.reason == "its process died"


def test_another_machines_run_is_running_until_it_was_watched_for_the_time_of_a_lease(
    runs: Path, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(runs / f"tiny-{A}", A, "running")
    write_holder(runs, A, "elsewhere", 7, time.time() - 3600)
    assert read_states(runs, [A])[A].status == "running"
    monkeypatch.setattr("cifar_exp.storage.liveness.LEASE_SECONDS", 0.0)
    assert read_states(runs, [A])[A].status == "interrupted"


def test_an_interrupted_run_has_a_reason(runs: Path, write_run: WriteRun) -> None:
    write_run(runs / f"tiny-{A}", A, "interrupted")
    assert read_states(runs, [A])[A].reason == "asked to stop, position saved"


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_failed_run_gives_the_error_on_record_as_reason(
    runs: Path, write_run: WriteRun, status: str
) -> None:
    write_run(runs / f"tiny-{A}", A, status, error="no such thing")
    state = read_states(runs, [A])[A]
    assert (state.status, state.reason) == (status, "ValueError: no such thing")


def test_a_completed_run_has_no_reason(runs: Path, write_run: WriteRun) -> None:
    write_run(runs / f"tiny-{A}", A, "completed")
    state = read_states(runs, [A])[A]
    assert (state.status, state.reason) == ("completed", None)


def test_a_pruned_run_says_what_paused_it(
    runs: Path, write_run: WriteRun, make_record: Callable[..., RunRecord]
) -> None:
    write_run(runs / f"tiny-{A}", A, "pruned")
    pruned = PrunedInfo(sweep="widths", rule="asha", epoch=3)
    make_record("pruned").model_copy(update={"pruned": pruned}).save(runs / f"tiny-{A}")
    state = read_states(runs, [A])[A]
    assert (state.status, state.reason) == (
        "pruned",
        "paused after epoch 3 by asha",
    )


def test_folders_are_found_by_id_whatever_their_label(runs: Path) -> None:
    names = [f"my-net-{A}", f"tiny-{B}", f".hidden-{'a' * 10}", f"tiny-{'b' * 10}.rerun"]
    names += ["tiny-short", f"tiny-{'C' * 10}", f"tiny-{'d' * 10}.replaced", ".locks", "e" * 10]
    for name in names:
        (runs / name).mkdir()
    assert run_folders(runs) == {A: runs / f"my-net-{A}", B: runs / f"tiny-{B}"}


def test_the_first_of_two_folders_of_a_run_is_used(runs: Path) -> None:
    for label in ("wide", "base", "tiny"):
        (runs / f"{label}-{A}").mkdir()
    assert run_folders(runs) == {A: runs / f"base-{A}"}


def test_a_missing_runs_folder_has_no_runs(tmp_path: Path) -> None:
    assert run_folders(tmp_path / "absent") == {}


def test_the_last_row_has_no_empty_cells(runs: Path, write_run: WriteRun) -> None:
    folder = write_run(runs / f"tiny-{A}", A, "running", epochs=3)
    assert last_row(folder) == {"epoch": 3.0, "val_accuracy": 0.3, "elapsed_seconds": 7.5}


@pytest.mark.parametrize("text", [None, "", "epoch,step\n", "epoch,step\n1,one\n"])
def test_without_a_readable_row_there_is_no_last_row(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "metrics.csv").write_text(text)
    assert last_row(tmp_path) is None


def test_the_state_during_a_rerun_is_that_of_the_rerun(runs: Path, write_run: WriteRun) -> None:
    home = write_run(runs / f"tiny-{A}", A, "completed", epochs=3)
    with lock_run(runs, A):
        assert read_state(runs, A, home).epoch == 3  # nothing of the rerun is there yet
        again = write_run(runs / f"tiny-{A}.rerun", A, "running", epochs=1)
        state = read_state(runs, A, home)
        assert (state.folder, state.status, state.epoch) == (again, "running", 1)
    state = read_state(runs, A, home)
    assert (state.folder, state.status, state.epoch) == (home, "completed", 3)


def test_the_state_of_a_trained_run_agrees_with_its_result(
    make_spec: Callable[..., RunSpec],
) -> None:
    spec = make_spec("trainer.epochs=2")
    outcome = execute(spec)
    state = read_states(spec.runs, [outcome.record.run_id])[outcome.record.run_id]
    assert (state.status, state.epoch, state.epochs) == ("completed", 2, 2)
    assert (state.folder, state.holder) == (outcome.folder, None)
    assert state.record == outcome.record
    assert outcome.record.final is not None
    assert state.row is not None
    assert state.row["val_accuracy"] == outcome.record.final.val_accuracy


def test_the_statuses_are_those_of_records_and_pending() -> None:
    assert sorted(STATUSES) == sorted([*get_args(Status), "pending"])
