"""Whether the process that a lock file names is alive.

A process on this machine is asked for, and one from before the machine's last boot is dead. Of any
other, only the lease is seen: the process counts as dead when its lease has not changed for
`LEASE_SECONDS` by the clock of the process that watches it. Clocks of two machines are never
compared.
"""

import fcntl
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cifar_exp.storage.lease import Holder, OldLockHolder
from cifar_exp.storage.process import Process, pid_exists, this_process
from cifar_exp.storage.reading import open_regular

RENEW_SECONDS = 10.0
LEASE_SECONDS = 60.0
# File systems that no other machine has mounted, unless this one serves them.
LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "f2fs", "tmpfs"})

# The tokens of the leases that this process holds now.
held_here: set[str] = set()


def is_alive(path: Path, holder: Holder) -> bool | None:
    """Whether the holder of the lock file runs; None if this cannot be told from here at once."""
    if isinstance(holder, OldLockHolder):
        return _is_old_holder_alive(path, holder)
    is_running = holder.process.is_alive()
    if is_running and holder.pid == os.getpid():
        return holder.token in held_here
    if is_running is None and _is_of_earlier_boot(path, holder.process):
        return False
    return is_running


def _is_of_earlier_boot(path: Path, process: Process) -> bool:
    # a machine that this one serves its disk to has another name
    here = this_process()
    return process.host == here.host and process.boot != here.boot and is_on_local_disk(path)


def is_on_local_disk(path: Path) -> bool:
    """Whether the file is known to be on a disk of this machine."""
    try:
        return _file_systems().get(os.stat(path).st_dev) in LOCAL
    except OSError:
        return False


@cache
def _file_systems() -> Mapping[int, str]:
    """The type of each mounted file system by device; empty where there is no /proc."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        place, _, kind = line.partition(" - ")
        major, minor = map(int, place.split()[2].split(":"))
        found[os.makedev(major, minor)] = kind.split()[0]
    return found


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
