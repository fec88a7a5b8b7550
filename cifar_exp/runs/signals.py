"""Stop a run on a signal or at its time limit.

The first request stops the run after the current step and saves it; the second exits immediately.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cifar_exp.errors import Interrupted


class StopRequest:
    """Whether the run should stop, and because of which signal."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self._raises = True

    def __call__(self) -> bool:
        """Whether the run should stop."""
        return self.signum is not None

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """In the block, only record signals; elsewhere a signal raises Interrupted at once.

        Raises Interrupted at the end of the block if a signal arrived.
        """
        self._raises = False
        try:
            yield
        finally:
            self._raises = True
        if self.signum is not None:
            raise Interrupted(self.signum)

    def ignore(self) -> None:
        """From now on, only record signals: nothing but cleanup is left."""
        self._raises = False

    def receive(self, signum: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.signum is None:
            self.signum = signum
            if self._raises:
                raise Interrupted(signum)
        # a terminal that closes may send several signals: that is not a second request
        elif signal.SIGHUP not in (self.signum, signum):
            raise KeyboardInterrupt


@contextmanager
def stop_on_signals(time_limit: float | None = None) -> Iterator[StopRequest]:
    """Handle SIGINT, SIGTERM and SIGHUP in the block; after `time_limit` seconds request a stop."""
    request = StopRequest()
    handled = [signal.SIGINT, signal.SIGTERM, *([signal.SIGALRM] if time_limit else [])]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # under nohup it stays ignored
        handled.append(signal.SIGHUP)
    previous = {signum: signal.signal(signum, request.receive) for signum in handled}
    if time_limit:
        signal.setitimer(signal.ITIMER_REAL, time_limit)
    try:
        yield request
    finally:
        if time_limit:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for signum, handler in previous.items():
            signal.signal(signum, handler)
