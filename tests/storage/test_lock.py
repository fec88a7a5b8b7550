import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.liveness import is_on_local_disk
from cifar_exp.storage.lock import RunLockedError, lock_holder, lock_path, lock_run, read_holder
from cifar_exp.storage.process import this_process
from cifar_exp.storage.run_state import fail_dead_run

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


def test_a_held_run_names_its_holders_host_and_pid_immediately(tmp_path: Path) -> None:
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


def test_a_lock_whose_holder_was_killed_is_free(tmp_path: Path) -> None:
    end(hold_elsewhere(tmp_path))
    assert read_holder(lock_path(tmp_path, "abc")) is not None  # its text is still there
    with lock_run(tmp_path, "abc"):
        holder = read_holder(lock_path(tmp_path, "abc"))
        assert holder is not None
        assert holder.pid == os.getpid()


def write_foreign(path: Path, heartbeat: float) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"host": "elsewhere", "pid": 7, "heartbeat": heartbeat}))


def expire(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on an unknown holder is dead if it has not changed since it was last seen."""
    monkeypatch.setattr("cifar_exp.storage.liveness.LEASE_SECONDS", 0.0)


@pytest.mark.parametrize("age", [5, 3600])
def test_a_lock_of_version_0_2_from_another_machine_is_watched_whatever_its_clock_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float
) -> None:
    write_foreign(lock_path(tmp_path, "abc"), time.time() - age)
    with pytest.raises(RunLockedError, match="process 7 on elsewhere"), lock_run(tmp_path, "abc"):
        pass
    expire(monkeypatch)
    with lock_run(tmp_path, "abc"):
        pass


def test_a_released_lock_has_no_holder(tmp_path: Path) -> None:
    with lock_run(tmp_path, "abc"):
        pass
    assert read_holder(lock_path(tmp_path, "abc")) is None


def test_the_lease_is_renewed_while_the_run_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.storage.liveness.RENEW_SECONDS", 0.02)
    path = lock_path(tmp_path, "abc")
    with lock_run(tmp_path, "abc"):
        first, holder = path.read_bytes(), read_holder(path)
        deadline = time.monotonic() + 10
        while path.read_bytes() == first and time.monotonic() < deadline:
            time.sleep(0.01)
        later = path.read_bytes()
        assert (len(later), read_holder(path)) == (len(first), holder)
    assert later != first
    assert path.read_bytes() == b""


def test_a_suspended_process_still_holds_its_run_on_its_own_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(monkeypatch)
    process = hold_elsewhere(tmp_path)
    try:
        process.send_signal(signal.SIGSTOP)
        holder = lock_holder(tmp_path, "abc")
        assert holder is not None
        assert holder.pid == process.pid
        with pytest.raises(RunLockedError), lock_run(tmp_path, "abc"):
            pass
    finally:
        end(process)
    assert lock_holder(tmp_path, "abc") is None


@pytest.mark.parametrize("version", ["0.2", "now"])
def test_a_process_that_has_the_pid_of_a_dead_holder_does_not_hold_its_run(
    tmp_path: Path, version: str
) -> None:
    path = lock_path(tmp_path, "abc")
    path.parent.mkdir()
    fields = {"host": socket.gethostname(), "pid": os.getppid()}
    started = {**asdict(this_process()), "started": "1", "token": "t", "renewals": "0"}
    more = {"heartbeat": time.time() - 3600} if version == "0.2" else started
    path.write_text(json.dumps({**more, **fields}))
    assert lock_holder(tmp_path, "abc") is None
    with lock_run(tmp_path, "abc"):
        pass


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 100_000, '{"host": "a", "pid": 7}', "\x00"]
    + [f'{{"host": "a", "pid": {pid}, "heartbeat": 1}}' for pid in ("0", "-1", "9" * 30, '"x"')]
    + [f'{{"host": "a", "pid": 7, "heartbeat": {beat}}}' for beat in ("NaN", "1e999", '"now"')],
)
def test_a_damaged_lock_has_no_holder_and_can_be_held(tmp_path: Path, text: str) -> None:
    path = lock_path(tmp_path, "abc")
    path.parent.mkdir()
    path.write_text(text)
    assert lock_holder(tmp_path, "abc") is None
    with lock_run(tmp_path, "abc"):
        assert lock_holder(tmp_path, "abc") is not None


@pytest.mark.parametrize("is_local", [True, False])
def test_a_holder_from_before_the_last_boot_is_dead_where_no_other_machine_can_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_local: bool
) -> None:
    monkeypatch.setattr("cifar_exp.storage.liveness.is_on_local_disk", lambda _: is_local)
    path = lock_path(tmp_path, "abc")
    path.parent.mkdir()
    lease = {**asdict(this_process()), "token": "t", "renewals": "0"}
    path.write_text(json.dumps({**lease, "machine": "an earlier boot:1:1"}))
    assert (lock_holder(tmp_path, "abc") is None) == is_local
    path.write_text(json.dumps({**lease, "machine": "a boot:1:1", "host": "elsewhere"}))
    assert lock_holder(tmp_path, "abc") is not None


def test_a_disk_of_this_machine_is_told_from_what_others_may_share(tmp_path: Path) -> None:
    kind = subprocess.run(
        ["stat", "--file-system", "--format=%T", tmp_path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    known = {"ext2/ext3": True, "xfs": True, "tmpfs": True, "f2fs": True}
    assert is_on_local_disk(tmp_path) == known.get(kind, False)
    assert not is_on_local_disk(Path("/proc/self"))
    assert not is_on_local_disk(tmp_path / "absent")


def test_a_running_process_of_version_0_2_holds_its_run(tmp_path: Path) -> None:
    path = lock_path(tmp_path, "abc")
    path.parent.mkdir()
    fields = {"host": socket.gethostname(), "pid": os.getpid(), "heartbeat": 0.0}
    path.write_text(json.dumps(fields))
    with path.open() as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert lock_holder(tmp_path, "abc") is not None
        with pytest.raises(RunLockedError), lock_run(tmp_path, "abc"):
            pass


def test_a_holder_is_read_without_writing(tmp_path: Path) -> None:
    assert lock_holder(tmp_path, "abc") is None
    assert list(tmp_path.iterdir()) == []
    with lock_run(tmp_path, "abc"):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        lock_path(tmp_path, "abc").chmod(0o400)
        assert lock_holder(tmp_path, "abc") is not None
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    lock_path(tmp_path, "abc").chmod(0o600)


def hold(runs: Path) -> None:
    with lock_run(runs, "abc"):
        pass


def test_a_file_in_place_of_the_locks_folder_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs" / "runs").mkdir(parents=True)
    (tmp_path / "outputs" / "runs" / ".locks").touch()
    with pytest.raises(UserError) as caught:
        hold(Path("outputs/runs"))
    assert str(caught.value) == "outputs/runs/.locks exists but is not a writable folder"


def test_a_file_in_place_of_the_runs_folder_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(UserError, match=r"/runs exists but is not a writable folder$"):
        hold(tmp_path / "runs")


@pytest.mark.parametrize("name", ["mkdir", "open"])
def test_a_folder_that_cannot_be_written_to_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(path: Path, *_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    path = tmp_path / "runs" / ".locks"
    if name == "open":
        path.mkdir(parents=True)
        path /= "abc"
    monkeypatch.setattr(os, name, refuse)
    with pytest.raises(UserError) as caught:
        hold(tmp_path / "runs")
    monkeypatch.undo()
    assert str(caught.value) == f"cannot access {path}: permission denied"


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fail)


def test_a_full_disk_is_a_failure_that_says_how_to_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch)
    with pytest.raises(EnvironmentFailure) as caught:
        hold(tmp_path)
    assert str(caught.value) == (
        f"no space is left on the disk of {tmp_path / '.locks'}; nothing was changed: "
        "make room and run the same command again to continue"
    )
    monkeypatch.undo()
    hold(tmp_path)  # the lock was released


def test_what_only_tidies_up_does_nothing_where_the_lock_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny-abc.replaced").mkdir()
    fill_disk(monkeypatch)
    assert not settle(tmp_path, "abc")
    (tmp_path / "tiny-def").mkdir()
    fail_dead_run(tmp_path, "def", "its process died")
    assert sorted(path.name for path in tmp_path.glob("tiny-*")) == [
        "tiny-abc.replaced",
        "tiny-def",
    ]
