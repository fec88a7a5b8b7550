"""Watches a sweep while a launcher works on it, whichever it is: by the folders alone."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.live import Live

from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.snapshot import Snapshot, SnapshotReader
from cifar_exp.sweeps.monitor.table import headline, live_table, values_of
from cifar_exp.text import percent

PERIOD_SECONDS = 1.0
PLAIN_SECONDS = 60.0  # between headlines where nothing can be redrawn


class Display:
    """Shows snapshots: a table that is redrawn, or a line for each thing that has happened.

    `mode` is `trainer.progress`: auto, bar (redrawn), plain, none.
    """

    def __init__(self, console: Console, mode: str) -> None:
        self.console, self.is_silent = console, mode == "none"
        is_redrawn = mode == "bar" or (mode == "auto" and console.is_terminal)
        self._live = Live(console=console) if is_redrawn else None
        self._told: dict[str, str] = {}
        self._headline_at = time.monotonic()

    def begin(self) -> None:
        """Before the first snapshot."""
        if self._live is not None:
            self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        """Bring what is shown up to date."""
        if self._live is not None:
            self._live.update(live_table(snapshot), refresh=True)
        elif not self.is_silent:
            self._tell_changes(snapshot)

    def end(self) -> None:
        """Take the table away."""
        if self._live is not None:
            self._live.update("", refresh=True)
            self._live.stop()

    def _tell_changes(self, snapshot: Snapshot) -> None:
        is_first = not self._told
        changed = [r for r in snapshot.rows if self._told.get(r.run_id) != _standing(snapshot, r)]
        self._told = {row.run_id: _standing(snapshot, row) for row in snapshot.rows}
        for row in [] if is_first else changed:
            self.console.print(_change(snapshot, row), markup=False)
        if is_first or (changed and time.monotonic() - self._headline_at > PLAIN_SECONDS):
            self._headline_at = time.monotonic()
            self.console.print(headline(snapshot), markup=False)


def _standing(snapshot: Snapshot, row: SweepRow) -> str:
    return snapshot.states[row.run_id].status


def _change(snapshot: Snapshot, row: SweepRow) -> str:
    state = snapshot.states[row.run_id]
    name = state.folder.name if state.folder else row.run_id
    if state.status == "completed":
        return f"completed   {name}  {values_of(row)}  val {percent(snapshot.metric(row))}"
    reason = f"  {state.reason}" if state.status != "running" and state.reason else ""
    return f"{state.status:<11} {name}  {values_of(row)}{reason}"


@contextmanager
def live_view(reader: SnapshotReader, display: Display) -> Iterator[None]:
    """Show the sweep, and keep its runs.csv up to date, for the time of the block."""
    ended = threading.Event()

    def watch() -> None:
        while True:
            is_over = ended.wait(PERIOD_SECONDS)
            snapshot = reader.take()
            display.show(snapshot)
            with suppress(OSError):  # a full disk must not end the sweep for the sake of its table
                reader.folder.refresh(snapshot.states)
            if is_over:
                return

    display.begin()
    display.show(reader.take())
    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        display.end()
