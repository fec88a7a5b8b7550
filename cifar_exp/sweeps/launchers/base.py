"""The interface of executors, which run trials somewhere and report which have ended.

`tests/sweeps/launchers/test_conformance.py` holds every executor to this.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

from cifar_exp.runs.spec import RunSpec, Slot


class RunStoppedError(Exception):
    """A run ended without recording an outcome; the message gives the reason."""


class LaunchFailedError(Exception):
    """A launch of several runs failed as a whole, which says nothing of any one of them."""


class Executor(ABC):
    """Runs trials. Each records its outcome in its own folder.

    A context manager: leaving the block ends every process that the executor started on this
    machine. `outlives`: whether jobs go on without this command, as those of a cluster do.
    """

    outlives: ClassVar[bool] = False

    @abstractmethod
    def capacity(self) -> Sequence[Slot]:
        """One slot for each run at a time; depends on the machine and options, not on the work."""

    @abstractmethod
    def submit(self, spec: RunSpec) -> None:
        """Queue a run and return immediately. `spec.run_id` must be set."""

    @abstractmethod
    def poll(self, timeout: float) -> Mapping[str, Exception | None]:
        """Wait up to `timeout` seconds for runs to end; returns those that did, by run id.

        The value is None if the run recorded its outcome, else an exception: EnvironmentFailure
        if no run can succeed, RunLockedError if another process trains the run, LaunchFailedError
        if the launch of several runs failed. An executor that only works in batches may block until
        the batch is done.
        """

    @abstractmethod
    def live(self) -> set[str]:
        """The ids of runs that are queued or running and have not been returned by `poll`."""

    @abstractmethod
    def cancel(self, *, now: bool = False) -> None:
        """Drop the queue; save and stop the running runs, or with `now` kill them."""

    def left_behind(self) -> Sequence[str]:
        """Lines on the jobs that go on without this command, and how to end them."""
        return []

    def close(self) -> None:
        """End every process. Call this when no run is live, or after `cancel`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
