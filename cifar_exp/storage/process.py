"""A process's identity across machines, and whether one on this machine is still alive.

Host names do not tell machines apart: images of virtual machines and containers share them.
"""

import os
import socket
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

LARGEST_PID = 2**31 - 1
GONE = ("Z", "X")  # states in /proc of a process that has ended and was not waited for yet


@dataclass(frozen=True)
class Process:
    """A process on some machine.

    `machine`: the boot of a kernel and the namespaces in which process ids and start times mean
    the same. `started`: when it started, in clock ticks since that boot; empty where unknown.
    """

    host: str
    pid: Annotated[int, Field(gt=0, le=LARGEST_PID)]
    machine: str
    started: str

    @property
    def boot(self) -> str:
        """The boot of the kernel that it runs on."""
        return self.machine.partition(":")[0]

    def is_alive(self) -> bool | None:
        """Whether it runs; None if this cannot be told from here.

        A suspended process runs. A process id that was given to another process does not count.
        """
        pid = os.getpid()
        if (self.host, self.machine) != (socket.gethostname(), _machine(pid)):
            return None
        if pid == self.pid:
            return self.started == _started(pid)
        fields = _stat(self.pid)
        if fields is None or not self.started:  # no /proc, or it hides other users' processes
            return None if pid_exists(self.pid) else False
        return fields[0] not in GONE and self.started == _start_time(fields)


def this_process() -> Process:
    """The process that asks."""
    pid = os.getpid()
    return Process(socket.gethostname(), pid, _machine(pid), _started(pid))


def pid_exists(pid: int) -> bool:
    """Whether this machine has a process with this id now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


@cache
def _machine(pid: int) -> str:  # noqa: ARG001  # a child may live in other namespaces
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        return f"{uuid.getnode():x}"
    return f"{boot}:{_namespace('pid')}:{_namespace('time')}"


def _namespace(kind: str) -> int:
    try:
        return os.stat(f"/proc/self/ns/{kind}").st_ino
    except OSError:  # kernels before 5.6 have no namespaces of time
        return 0


@cache
def _started(pid: int) -> str:
    fields = _stat(pid)
    return "" if fields is None else _start_time(fields)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the state on; None if there is no such file."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return text[text.rfind(b")") + 1 :].decode().split()  # a name may contain ") "


def _start_time(fields: list[str]) -> str:
    return fields[19]  # starttime is the 22nd field, the state the third
