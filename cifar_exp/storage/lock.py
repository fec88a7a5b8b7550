"""Who trains a run: an operating-system lock with host, pid and heartbeat of its holder."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

HEARTBEAT_SECONDS = 10
# Another machine whose lock we cannot see on this file system is taken for dead after this time.
STALE_SECONDS = 60


@dataclass(frozen=True)
class LockHolder:
    """The process that holds a run; `heartbeat` in seconds since the epoch."""

    host: str
    pid: int
    heartbeat: float

    @property
    def is_alive(self) -> bool:
        """Whether its heart beat lately and, on this host, its process is there."""
        if time.time() - self.heartbeat > STALE_SECONDS:
            return False
        return self.host != socket.gethostname() or _exists(self.pid)


class RunLockedError(Exception):
    """The run is being trained by another process."""

    @classmethod
    def by(cls, run_id: str, owner: LockHolder | None) -> "RunLockedError":
        """The error that names the holder."""
        where = f"process {owner.pid} on {owner.host}" if owner else "another process"
        return cls(f"run {run_id} is being trained by {where}")


def lock_path(runs: Path, run_id: str) -> Path:
    """Where the lock of a run lies."""
    return runs / ".locks" / run_id


@contextmanager
def lock_run(runs: Path, run_id: str) -> Iterator[None]:
    """Hold the run for the time of the block. Raises RunLockedError at once if it is taken."""
    path = lock_path(runs, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunLockedError.by(run_id, read_holder(path)) from error
    try:
        owner = read_holder(path)
        if owner is not None and owner.host != socket.gethostname() and owner.is_alive:
            raise RunLockedError.by(run_id, owner)
        with _heartbeat(path):
            yield
    finally:
        lock.release()


def lock_holder(runs: Path, run_id: str) -> LockHolder | None:
    """Who holds the run, by what the lock's file says; the lock itself is not touched."""
    owner = read_holder(lock_path(runs, run_id))
    return owner if owner is not None and owner.is_alive else None


def read_holder(path: Path) -> LockHolder | None:
    """Who wrote into the lock last; None where nobody holds it or the text is torn."""
    try:
        return LockHolder(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


@contextmanager
def _heartbeat(path: Path) -> Iterator[None]:
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            with suppress(OSError):  # a full disk must not end the run; the next beat may succeed
                _write_holder(path)

    _write_holder(path)
    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(OSError):
            os.truncate(path, 0)


def _write_holder(path: Path) -> None:
    # In place: the lock is on this very file, so it must not be renamed over.
    text = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "heartbeat": time.time()})
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, text.encode(), 0)
        os.ftruncate(descriptor, len(text))
    finally:
        os.close(descriptor)
