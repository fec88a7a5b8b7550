"""Two machines, played by processes that see their own clock, host name, flock and kernel."""

import errno
import fcntl
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.storage import liveness, lock, process
from cifar_exp.storage.atomic import write_text
from cifar_exp.storage.lock import lock_path, lock_run, wait_for_holder
from cifar_exp.storage.run_state import read_state
from cifar_exp.sweeps.launchers.local.pool import PRELOADED

RUN = "0123456789"
RENEW, SHORT, LONG = 0.05, 0.3, 60.0  # seconds

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(list(PRELOADED))


def play(
    commands: Connection, runs: Path, host: str, clock: float, flock: str, lease: float
) -> None:
    """Be a process on a machine: `lock`, `state`, `wait`, `write TEXT` and `release`."""
    real_time, kernel = time.time, f"kernel of {os.getpid()}"
    time.time = lambda: real_time() + clock
    socket.gethostname = lambda: host
    if flock != "shared":
        fcntl.flock = no_flock if flock == "absent" else lambda *_: None
    setattr(process, "_machine", lambda _: kernel)  # noqa: B010
    liveness.is_on_local_disk = lambda path: False  # noqa: ARG005
    liveness.RENEW_SECONDS, liveness.LEASE_SECONDS, lock.LOOK_SECONDS = RENEW, lease, RENEW
    held = ExitStack()
    actions: dict[str, Callable[..., object]] = {
        "lock": lambda: held.enter_context(lock_run(runs, RUN)),
        "release": held.close,
        "write": lambda text: write_text(runs / f"tiny-{RUN}" / "metrics.csv", text),
        "state": lambda: read_state(runs, RUN, None).status,
        "wait": lambda: wait_for_holder(runs, RUN, lambda _: None),
    }
    while True:
        command, *arguments = commands.recv()
        try:
            commands.send(actions[command](*arguments))
        except Exception as error:
            commands.send(f"{type(error).__name__}: {error}")


def no_flock(*_: object) -> None:
    raise OSError(errno.ENOSYS, "Function not implemented")


class Host:
    def __init__(
        self,
        runs: Path,
        name: str,
        clock: float = 0.0,
        flock: str = "local",
        lease: float = LONG,
    ) -> None:
        self.commands, theirs = context.Pipe()
        arguments = (theirs, runs, name, clock, flock, lease)
        self.process = context.Process(target=play, args=arguments, daemon=True)
        self.process.start()

    def __call__(self, *command: str) -> Any:
        self.send(*command)
        return self.commands.recv()

    def send(self, *command: str) -> None:
        self.commands.send(command)

    def signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.commands.close()


StartHost = Callable[..., Host]


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[StartHost]:
    (tmp_path / f"tiny-{RUN}").mkdir()
    hosts = []

    def start(name: str, **view: Any) -> Host:
        hosts.append(Host(tmp_path, name, **view))
        return hosts[-1]

    yield start
    for host in hosts:
        host.end()


def wait_for_lock(host: Host) -> None:
    """Until the host has it."""
    deadline = time.monotonic() + 60
    while host("lock") is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def refused(host: Host, by: Host, name: str) -> bool:
    answer = f"RunLockedError: run {RUN} is being trained by process {by.process.pid} on {name}"
    return bool(host("lock") == answer)


@pytest.mark.parametrize("clock", [-3600.0, 3600.0])
def test_a_living_holder_keeps_its_run_from_a_machine_whose_clock_differs(
    start_host: StartHost, clock: float
) -> None:
    a, b = start_host("a"), start_host("b", clock=clock)
    assert a("lock") is None
    for _ in range(2):
        assert b("state") == "running"  # as long as the lock is refused, the run is not missing
        assert refused(b, a, "a")
        assert b("wait") is not None  # it is seen to be alive


def test_machines_of_one_name_do_not_take_each_other_for_dead(start_host: StartHost) -> None:
    a, b = start_host("image"), start_host("image")
    assert a("lock") is None
    assert refused(b, a, "image")
    a("release")
    assert b("lock") is None


@pytest.mark.parametrize("flock", ["shared", "local", "absent"])
def test_a_frozen_holder_changes_nothing_after_it_has_lost_its_run(
    start_host: StartHost, tmp_path: Path, flock: str
) -> None:
    a, b = start_host("a", flock=flock), start_host("b", flock=flock, lease=SHORT)
    assert a("lock") is None
    assert a("write", "a") is None
    a.signal(signal.SIGSTOP)
    wait_for_lock(b)
    assert b("write", "b") is None
    a.signal(signal.SIGCONT)
    assert a("write", "a again") == (
        f"RunTakenOverError: run {RUN} was taken over by process {b.process.pid} on b while this "
        "process gave no sign of life; this process has changed nothing since"
    )
    a("release")
    assert (tmp_path / f"tiny-{RUN}" / "metrics.csv").read_text() == "b"
    assert os.listdir(tmp_path / f"tiny-{RUN}") == ["metrics.csv"]
    assert b("write", "b again") is None  # it still has the lock
    assert refused(a, b, "b")


@pytest.mark.parametrize("flock", ["shared", "absent"])
def test_a_holder_that_was_killed_is_waited_for_no_longer_than_a_lease(
    start_host: StartHost, flock: str
) -> None:
    a, b = start_host("a", flock=flock), start_host("b", flock=flock, lease=SHORT)
    assert a("lock") is None
    a.end()
    assert b("state") == "running"  # it may be alive
    assert refused(b, a, "a")
    assert b("wait") is None
    assert b("state") == "pending"
    assert b("lock") is None


def test_claims_leave_no_files(start_host: StartHost, tmp_path: Path) -> None:
    a = start_host("a")
    assert a("lock") is None
    a("release")
    assert list(lock_path(tmp_path, RUN).parent.glob("*/*")) == []
    assert lock_path(tmp_path, RUN).read_bytes() == b""
