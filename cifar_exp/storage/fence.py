"""A fence around the files of what a process holds: after it has lost the hold, no write lands.

Whoever writes asks `check_fence` last, right before the rename or removal that others would see.
`storage/lock.py` sets the fence for the time of a hold, and says why this is enough.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class TakenOverError(Exception):
    """Another process has taken over what this one held."""


class Fence(Protocol):
    """A hold that can be lost to another process."""

    @property
    def is_lost(self) -> bool:
        """Whether the loss has been noticed. Reads no file."""

    def check(self) -> None:
        """Raise TakenOverError if the hold is lost. Reads the lease; raises OSError too."""


_fences: ContextVar[tuple[Fence, ...]] = ContextVar("fences", default=())


@contextmanager
def fenced(fence: Fence) -> Iterator[None]:
    """Let the block, on this thread, write only as long as `fence` holds."""
    before = _fences.set((*_fences.get(), fence))
    try:
        yield
    finally:
        _fences.reset(before)


def check_fence() -> None:
    """Raise TakenOverError if something that this thread holds was taken over."""
    for fence in _fences.get():
        fence.check()


def is_lost() -> bool:
    """Whether it is known that something that this thread holds was taken over. Reads no file."""
    return any(fence.is_lost for fence in _fences.get())
