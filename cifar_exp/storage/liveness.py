"""Whether the process that a lock file names is alive.

A process on this machine is asked for. Of any other, only the lease is seen: the process counts as
dead when its lease has not changed for `LEASE_SECONDS` by the clock of the process that watches it.
Clocks of two machines are never compared.
"""

import fcntl
import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.storage.lease import Holder, OldLockHolder
from cifar_exp.storage.process import pid_exists
from cifar_exp.storage.reading import open_regular

RENEW_SECONDS = 10.0
LEASE_SECONDS = 60.0

# The tokens of the leases that this process holds now.
held_here: set[str] = set()


def is_alive(path: Path, holder: Holder) -> bool | None:
    """Whether the holder of the lock file runs; None if this cannot be told from here at once."""
    if isinstance(holder, OldLockHolder):
        return _is_old_holder_alive(path, holder)
    is_running = holder.process.is_alive()
    if is_running and holder.pid == os.getpid():
        return holder.token in held_here
    return is_running


def _is_old_holder_alive(path: Path, holder: OldLockHolder) -> bool | None:
    """As version 0.2 judged, whose processes on one machine see each other's flock."""
    if holder.host != socket.gethostname():
        return None
    if not pid_exists(holder.pid):
        return False
    try:
        with open_regular(path) as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # closing the file releases it
    except BlockingIOError:
        return True
    except OSError:  # no flock on this file system
        return None
    return False


@dataclass
class _Sight:
    content: bytes
    at: float
    unchanged: float = 0.0


class Watch:
    """Remembers the leases of holders of which nothing else is known."""

    def __init__(self) -> None:
        self._sights: dict[Path, _Sight] = {}
        self._lock = threading.Lock()  # the live table is drawn on a thread of its own

    def has_expired(self, path: Path, content: bytes) -> bool:
        """Look at a lock file; returns whether its lease has not changed for `LEASE_SECONDS`."""
        now = time.monotonic()
        with self._lock:
            sight = self._sights.get(path)
            if sight is None or sight.content != content:
                sight = self._sights[path] = _Sight(content, now)
            # a longer gap counts for little: in an outage of the file server nobody can renew
            sight.unchanged += min(now - sight.at, RENEW_SECONDS)
            sight.at = now
            return sight.unchanged >= LEASE_SECONDS

    def forget(self, path: Path) -> None:
        """Drop what was seen of a lock file that is free, or whose holder is known."""
        self._sights.pop(path, None)
