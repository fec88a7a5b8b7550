"""metrics.csv and extra.csv."""

from collections.abc import Sequence

from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import Row, RunDirectory


class CsvLogger:
    """Writes both files whole after each epoch.

    They follow last.pt: a process that was killed between the two wrote the epoch to last.pt alone,
    and the next process adds it when it starts.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self._rows: list[Row] = []

    def start(self, record: RunRecord, rows: Sequence[Row]) -> None:  # noqa: ARG002
        """Write the epochs so far."""
        self._rows = list(rows)
        if self._rows:
            self.directory.write_history(self._rows)

    def epoch(self, row: Row) -> None:
        """Add an epoch."""
        self._rows.append(row)
        self.directory.write_history(self._rows)

    def end(self, record: RunRecord) -> None:
        """Nothing is left to write."""
