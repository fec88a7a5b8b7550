"""Which loggers a run has, and how their failures are handled."""

from collections.abc import Callable, Sequence
from functools import partial

from cifar_exp.config.schema import Settings
from cifar_exp.errors import describe
from cifar_exp.runs.console import Console
from cifar_exp.runs.loggers.base import Logger
from cifar_exp.runs.loggers.console import ConsoleLogger
from cifar_exp.runs.loggers.csv import CsvLogger
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import Row, RunDirectory

Builder = Callable[[Settings, RunDirectory], Logger]

# Loggers besides metrics.csv and the console, by name; each run has all of them.
EXTERNAL: dict[str, Builder] = {}


class Loggers:
    """All loggers of a run, called in turn.

    An error of metrics.csv ends the run; an external logger that raises one is dropped with a note.
    """

    def __init__(
        self,
        settings: Settings,
        directory: RunDirectory,
        console: Console,
        seconds_left: Callable[[], float],
    ) -> None:
        self.console = console
        self.own: list[Logger] = [CsvLogger(directory), ConsoleLogger(console, seconds_left)]
        self.external: dict[str, Logger] = {}
        self._started: RunRecord | None = None
        for name, build in EXTERNAL.items():
            self._attempt(name, partial(self._add, name, build, settings, directory))

    def start(self, record: RunRecord, rows: Sequence[Row]) -> None:
        """Training starts, or continues after the epochs of `rows`."""
        self._started = record
        # each gets rows of its own: one that changes them changes no other's
        self._call(lambda logger: logger.start(record, [dict(row) for row in rows]))

    def epoch(self, row: Row) -> None:
        """An epoch is complete and saved."""
        self._call(lambda logger: logger.epoch(dict(row)))

    def end(self, record: RunRecord) -> None:
        """The run ended in this process; nothing happens where no logger was started."""
        if self._started is not None:
            self._call(lambda logger: logger.end(record))

    def _call(self, call: Callable[[Logger], None]) -> None:
        for logger in self.own:
            call(logger)
        for name, logger in list(self.external.items()):
            self._attempt(name, partial(call, logger))

    def _add(self, name: str, build: Builder, settings: Settings, directory: RunDirectory) -> None:
        self.external[name] = build(settings, directory)

    def _attempt(self, name: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # it may raise anything
            self.external.pop(name, None)
            self.console.print(f"note     logger {name} failed and is off: {describe(error)}")
