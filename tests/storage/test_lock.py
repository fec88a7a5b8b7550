import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cifar_exp.storage.lock import RunLockedError, lock_path, lock_run, read_holder

HOLD = (
    "import sys, time; from pathlib import Path; from cifar_exp.storage.lock import lock_run\n"
    "with lock_run(Path(sys.argv[1]), 'abc'):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)


def hold_elsewhere(runs: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(runs)], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_held_run_is_told_with_its_holders_host_and_pid_at_once(tmp_path: Path) -> None:
    holder = hold_elsewhere(tmp_path)
    expected = f"run abc is being trained by process {holder.pid} on {socket.gethostname()}"
    try:
        with pytest.raises(RunLockedError) as caught, lock_run(tmp_path, "abc"):
            pass
        assert str(caught.value) == expected
        with lock_run(tmp_path, "another"):
            pass
    finally:
        end(holder)


def test_a_lock_whose_holder_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    end(hold_elsewhere(tmp_path))
    assert read_holder(lock_path(tmp_path, "abc")) is not None  # its traces are still there
    with lock_run(tmp_path, "abc"):
        owner = read_holder(lock_path(tmp_path, "abc"))
        assert owner is not None
        assert owner.pid == os.getpid()


def write_foreign(path: Path, heartbeat: float) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"host": "elsewhere", "pid": 7, "heartbeat": heartbeat}))


def test_another_machines_heartbeat_counts_where_its_lock_is_not_seen(tmp_path: Path) -> None:
    write_foreign(lock_path(tmp_path, "abc"), time.time() - 5)
    with pytest.raises(RunLockedError, match="process 7 on elsewhere"), lock_run(tmp_path, "abc"):
        pass


def test_another_machine_that_fell_silent_is_taken_for_dead(tmp_path: Path) -> None:
    write_foreign(lock_path(tmp_path, "abc"), time.time() - 3600)
    with lock_run(tmp_path, "abc"):
        pass


def test_after_release_nobody_is_named(tmp_path: Path) -> None:
    with lock_run(tmp_path, "abc"):
        pass
    assert read_holder(lock_path(tmp_path, "abc")) is None


def test_the_heartbeat_goes_on_while_the_run_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.storage.lock.HEARTBEAT_SECONDS", 0.02)
    with lock_run(tmp_path, "abc"):
        first = read_holder(lock_path(tmp_path, "abc"))
        deadline = time.monotonic() + 10
        while read_holder(lock_path(tmp_path, "abc")) == first and time.monotonic() < deadline:
            time.sleep(0.01)
        later = read_holder(lock_path(tmp_path, "abc"))
    assert first is not None
    assert later is not None
    assert later.heartbeat > first.heartbeat
