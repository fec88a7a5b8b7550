"""outputs/runs/.locks/<run_id>: who trains a run.

An operating-system lock on the file, and in it, as JSON, host, pid and heartbeat of the holder for
readers and for machines that do not see each other's locks.
"""

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import Field, FiniteFloat, TypeAdapter

from cifar_exp.storage.failures import explained
from cifar_exp.storage.reading import open_regular

HEARTBEAT_SECONDS = 10
# A machine whose lock this one cannot see counts as dead after this time without a heartbeat.
STALE_SECONDS = 60
LARGEST_PID = 2**31 - 1


@dataclass(frozen=True)
class LockHolder:
    """The process that holds a run; `heartbeat` in seconds since the epoch."""

    host: str
    pid: Annotated[int, Field(gt=0, le=LARGEST_PID)]
    heartbeat: FiniteFloat

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return self.host == socket.gethostname()

    @property
    def is_recent(self) -> bool:
        """Whether its last heartbeat is recent."""
        return time.time() - self.heartbeat <= STALE_SECONDS


_HOLDER = TypeAdapter(LockHolder)


class RunLockedError(Exception):
    """The run is being trained by another process."""

    @classmethod
    def by(cls, run_id: str, holder: LockHolder | None) -> "RunLockedError":
        """The error that names the holder."""
        where = f"process {holder.pid} on {holder.host}" if holder else "another process"
        return cls(f"run {run_id} is being trained by {where}")


def lock_path(runs: Path, run_id: str) -> Path:
    """The file of a run's lock."""
    return runs / ".locks" / run_id


@contextmanager
def lock_run(runs: Path, run_id: str) -> Iterator[None]:
    """Hold the run during the block.

    Raises RunLockedError immediately if another process holds it, UserError or EnvironmentFailure
    if the lock cannot be written.
    """
    path = lock_path(runs, run_id)
    lock = FileLock(path)
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunLockedError.by(run_id, read_holder(path)) from error
    try:
        holder = read_holder(path)
        if holder is not None and not holder.is_local and holder.is_recent:
            raise RunLockedError.by(run_id, holder)
        with _heartbeat(path):
            yield
    finally:
        lock.release()


def lock_holder(runs: Path, run_id: str) -> LockHolder | None:
    """The living process that holds the run, or None."""
    path = lock_path(runs, run_id)
    holder = read_holder(path)
    return holder if holder is not None and _is_alive(holder, path) else None


def read_holder(path: Path) -> LockHolder | None:
    """The last holder that wrote into the lock; None if it was released or is damaged."""
    try:
        with open_regular(path) as stream:
            return _HOLDER.validate_json(stream.read())
    except (OSError, ValueError):
        return None


def _is_alive(holder: LockHolder, path: Path) -> bool:
    if not holder.is_local:
        return holder.is_recent
    # A suspended process has no heartbeat, and when the clock jumps every heartbeat looks old. The
    # lock itself is tried only then: a process that starts at that moment would find it taken.
    return _exists(holder.pid) and (holder.is_recent or _is_locked(path))


def _is_locked(path: Path) -> bool:
    """Whether a process on this machine holds the operating system's lock on the file."""
    try:
        with open_regular(path) as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # closing the file releases it
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


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

    with explained(path.parent):
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
    # In place: the lock is on this very file, so no new file may take its name.
    text = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "heartbeat": time.time()})
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, text.encode(), 0)
        os.ftruncate(descriptor, len(text))
    finally:
        os.close(descriptor)
