"""What every executor can do: run trials somewhere, and say which have ended.

`tests/sweeps/launchers/test_conformance.py` holds every executor to this.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from cifar_exp.runs.spec import RunSpec, Slot


class RunStoppedError(Exception):
    """A run ended without recording an outcome; the message gives the reason."""


class Executor(ABC):
    """Runs trials, each into its own folder, where the outcome is recorded.

    A context manager: leaving the block ends every process that the executor started.
    """

    @abstractmethod
    def capacity(self) -> Sequence[Slot]:
        """A slot for each run at a time. Follows from machine and options, not from the work."""

    @abstractmethod
    def submit(self, spec: RunSpec) -> None:
        """Queue a run. Returns at once. `spec.run_id` must be set."""

    @abstractmethod
    def poll(self, timeout: float) -> Mapping[str, Exception | None]:
        """Wait up to `timeout` seconds for runs to end; returns the ended ones by run id.

        The value is the exception of a run that recorded no outcome itself, else None:
        EnvironmentFailure where no run can succeed, RunLockedError where another process trains
        it. An executor that can only work in batches may block until the batch is done.
        """

    @abstractmethod
    def live(self) -> set[str]:
        """The ids of runs that are queued or running and have not been returned by `poll`."""

    @abstractmethod
    def cancel(self, *, now: bool = False) -> None:
        """Drop what is queued; save and stop what is running, or with `now` kill it."""

    def close(self) -> None:
        """End every process. Called once, when no run is live or after `cancel`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
