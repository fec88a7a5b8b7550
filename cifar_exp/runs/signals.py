"""Stop a run on a signal or at its time limit.

The first request stops the run after the current step and saves it; the second exits immediately.

In a job of a cluster that submitit started, SIGUSR2 means that the job has to make way, and
submitit's handler queues it again. There the run is saved first, and then that handler is called;
SIGTERM, which comes before it or before the end, only saves the run, which goes on as long as it
may.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from cifar_exp.errors import Interrupted

Handler = Callable[[int, FrameType | None], object]

IN_SUBMITIT = "SUBMITIT_EXECUTOR"  # set in its jobs
MAKES_WAY = signal.SIGUSR2


class StopRequest:
    """Whether the run should stop, and because of which signal.

    `requeue` queues this process's job again, if a cluster runs it.
    """

    def __init__(self, requeue: Handler | None = None) -> None:
        self.signum: int | None = None
        self.requeue = requeue
        self._raises = True
        self._saves = False

    def __call__(self) -> bool:
        """Whether the run should stop, or pause to be saved."""
        return self._saves or self.signum is not None

    def goes_on(self) -> bool:
        """Whether the run only paused to be saved. It is saved when this is called."""
        self._saves = False
        return self.signum is None

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
        if self.requeue is not None and signum == signal.SIGTERM:
            self._saves = True
        elif self.signum is None:
            self.signum = signum
            if self._raises:
                raise Interrupted(signum)
        # a terminal that closes may send several signals, and a cluster one at the run's own time
        # limit: that is not a second request
        elif not {signal.SIGHUP, MAKES_WAY, signal.SIGALRM} & {self.signum, signum}:
            raise KeyboardInterrupt


@contextmanager
def stop_on_signals(time_limit: float | None = None) -> Iterator[StopRequest]:
    """Handle SIGINT, SIGTERM and SIGHUP in the block; after `time_limit` seconds request a stop.

    In a job of a cluster SIGUSR2 too. After it, and at the time limit, the job is queued again when
    the block has raised Interrupted; that ends this process by SystemExit.
    """
    request = StopRequest(_requeue_handler())
    signums = [signal.SIGINT, signal.SIGTERM, *([signal.SIGALRM] if time_limit else [])]
    if request.requeue is not None:
        signums.append(MAKES_WAY)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # under nohup it stays ignored
        signums.append(signal.SIGHUP)
    try:
        with _handled(signums, request.receive, time_limit):
            yield request
    except Interrupted as interruption:
        if request.requeue is not None and interruption.signum in (MAKES_WAY, signal.SIGALRM):
            signal.signal(MAKES_WAY, signal.SIG_IGN)  # it is under way
            request.requeue(MAKES_WAY, None)
        raise


@contextmanager
def _handled(
    signums: Sequence[signal.Signals], handler: Handler, time_limit: float | None
) -> Iterator[None]:
    previous = {signum: signal.signal(signum, handler) for signum in signums}
    if time_limit:
        signal.setitimer(signal.ITIMER_REAL, time_limit)
    try:
        yield
    finally:
        if time_limit:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for signum, before in previous.items():
            signal.signal(signum, before)


def _requeue_handler() -> Handler | None:
    """What submitit does when its job has to make way; None outside of its jobs."""
    handler = signal.getsignal(MAKES_WAY)
    owner = getattr(handler, "__self__", None)
    if isinstance(owner, StopRequest):  # this block is in another one
        return owner.requeue
    return handler if IN_SUBMITIT in os.environ and callable(handler) else None
