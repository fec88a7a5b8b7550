"""The interface of a logger."""

from collections.abc import Sequence
from typing import Protocol

from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import Row


class Logger(Protocol):
    """Follows one run in one process. Everything that a logger writes it gets through these."""

    def start(self, record: RunRecord, rows: Sequence[Row]) -> None:
        """Training starts, or continues after the epochs of `rows`."""

    def epoch(self, row: Row) -> None:
        """An epoch is complete and saved. `row` has the columns of metrics.csv and extra.csv."""

    def end(self, record: RunRecord) -> None:
        """The run ended in this process, with the outcome that `record` holds."""
