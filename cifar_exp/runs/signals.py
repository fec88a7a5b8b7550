"""SIGTERM, Ctrl-C, a time limit: asked once, a run stops after its step and saves; asked twice, it
dies."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cifar_exp.errors import Interrupted


class StopRequest:
    """Whether, and by which signal, the run was asked to stop."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self._raises = True

    def __call__(self) -> bool:
        """Whether a stop was asked for."""
        return self.signum is not None

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within the block a signal is only noted; outside it raises Interrupted there and then."""
        self._raises = False
        try:
            yield
        finally:
            self._raises = True
        self.raise_if_asked()

    def ignore(self) -> None:
        """From here on a signal is only noted: the work is done but for a moment."""
        self._raises = False

    def raise_if_asked(self) -> None:
        """Raise Interrupted if a signal came."""
        if self.signum is not None:
            raise Interrupted(self.signum)

    def receive(self, signum: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        if self.signum is not None:
            raise KeyboardInterrupt  # asked twice: at once
        self.signum = signum
        if self._raises:
            raise Interrupted(signum)


@contextmanager
def stop_on_signals(time_limit: float | None = None) -> Iterator[StopRequest]:
    """Take SIGINT and SIGTERM for the time of the block; after `time_limit` seconds ask to stop."""
    request = StopRequest()
    taken = [signal.SIGINT, signal.SIGTERM, *([signal.SIGALRM] if time_limit else [])]
    previous = {signum: signal.signal(signum, request.receive) for signum in taken}
    if time_limit:
        signal.setitimer(signal.ITIMER_REAL, time_limit)
    try:
        yield request
    finally:
        if time_limit:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for signum, handler in previous.items():
            signal.signal(signum, handler)
