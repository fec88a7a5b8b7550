"""The content of a lock file: who holds it, and a counter that the holder raises as a sign of life.

An empty file is free, and so is one that holds anything else. Its keys are listed in
docs/formats.md.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, FiniteFloat, TypeAdapter

from cifar_exp.storage.process import LARGEST_PID, Process, this_process
from cifar_exp.storage.reading import read_bytes

LARGEST = 4096  # bytes


@dataclass(frozen=True)
class LockHolder:
    """The process that a lock file names."""

    host: str
    pid: Annotated[int, Field(gt=0, le=LARGEST_PID)]


@dataclass(frozen=True)
class LeaseHolder(LockHolder):
    """The holder of a lease. `token` is that of this one hold; the rest is as in `Process`."""

    machine: str
    started: str
    token: str

    @property
    def process(self) -> Process:
        """The process, for asking whether it runs."""
        return Process(self.host, self.pid, self.machine, self.started)


@dataclass(frozen=True)
class OldLockHolder(LockHolder):
    """A holder of version 0.2, which had locked the file with flock."""

    heartbeat: FiniteFloat


Holder = LeaseHolder | OldLockHolder
_HOLDER: TypeAdapter[Holder] = TypeAdapter(Holder)


def read_content(path: Path) -> bytes:
    """The content of a lock file; empty if there is none. Raises OSError if it cannot be read."""
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return b""


def parse_holder(content: bytes) -> Holder | None:
    """The holder that a lock file names; None if it is free or damaged."""
    if not content:
        return None
    try:
        return _HOLDER.validate_json(content)
    except ValueError:
        return None


class Lease:
    """A new lease of this process."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self._renewals = 0
        self._process = asdict(this_process())

    @property
    def text(self) -> bytes:
        """The content of the lock file, of the same length at all times."""
        content = {**self._process, "token": self.token, "renewals": f"{self._renewals:010d}"}
        return json.dumps(content).encode()

    def is_in(self, content: bytes) -> bool:
        """Whether this is the content of a lock file with this lease."""
        return self.token.encode() in content

    def renew(self, path: Path) -> bool:
        """Give a sign of life; returns False if the lock file has another lease or is gone."""
        self._renewals += 1
        return self._overwrite(path, self.text)

    def release(self, path: Path) -> None:
        """Free the lock file if it still has this lease."""
        self._overwrite(path, b"")

    def _overwrite(self, path: Path, text: bytes) -> bool:
        # In place, in the file whose lease was read: only its holder writes into it, because the
        # next holder puts a new file in its place. Whatever a reader sees of the old digits and
        # the new is a lease.
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            if not self.is_in(os.read(descriptor, LARGEST)):
                return False
            os.pwrite(descriptor, text, 0)
            os.ftruncate(descriptor, len(text))
        finally:
            os.close(descriptor)
        return True
