"""Show a running sweep. Reads run folders only, so it works with any launcher."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.live import Live

from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.ranking import short_values
from cifar_exp.sweeps.monitor.snapshot import Snapshot, SnapshotReader
from cifar_exp.sweeps.monitor.table import headline, live_table
from cifar_exp.terminal import is_redrawn, print_line
from cifar_exp.text import percent

PERIOD_SECONDS = 1.0
HEADLINE_SECONDS = 60.0  # between headlines where nothing can be redrawn


class Display:
    """Shows snapshots: a table that is redrawn, or a line for each change.

    `mode` is `trainer.progress`: auto, bar (redrawn), plain, none.
    """

    def __init__(self, console: Console, mode: str) -> None:
        self.console, self.is_silent = console, mode == "none"
        self._live = Live(console=console) if is_redrawn(console, mode) else None
        self._printed: dict[str, str] = {}  # by run id, the status of its last line
        self._headline_at = time.monotonic()

    def begin(self) -> None:
        """Start; call this before the first snapshot."""
        if self._live is not None:
            self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        """Show this snapshot instead of the previous one."""
        if self._live is not None:
            self._live.update(live_table(snapshot), refresh=True)
        elif not self.is_silent:
            self._print_changes(snapshot)

    def end(self) -> None:
        """Remove the table."""
        if self._live is not None:
            self._live.update("", refresh=True)
            self._live.stop()

    def _print_changes(self, snapshot: Snapshot) -> None:
        if not snapshot.rows:  # a search that has proposed none yet
            return
        is_first = not self._printed
        changed = [r for r in snapshot.rows if self._printed.get(r.run_id) != _status(snapshot, r)]
        self._printed = {row.run_id: _status(snapshot, row) for row in snapshot.rows}
        for row in [] if is_first else changed:
            print_line(self.console, _change(snapshot, row))
        if is_first or (changed and time.monotonic() - self._headline_at > HEADLINE_SECONDS):
            self._headline_at = time.monotonic()
            print_line(self.console, headline(snapshot))


def _status(snapshot: Snapshot, row: SweepRow) -> str:
    return snapshot.states[row.run_id].status


def _change(snapshot: Snapshot, row: SweepRow) -> str:
    state, values = snapshot.states[row.run_id], short_values(row.values)
    if state.status == "completed":
        return f"completed   {state.name}  {values}  val {percent(snapshot.metric(row))}"
    reason = f"  {state.reason}" if state.status != "running" and state.reason else ""
    job = snapshot.jobs.get(row.run_id)
    if job is not None and snapshot.is_queued(row):
        reason += f"  {job.executor} job {job.job_id}"
    return f"{state.status:<11} {state.name}  {values}{reason}"


@contextmanager
def live_view(reader: SnapshotReader, display: Display) -> Iterator[None]:
    """During the block, show the sweep and keep its runs.csv up to date."""
    ended = threading.Event()

    def update() -> None:
        # Neither a full disk nor a damaged folder may end a sweep for the sake of its table.
        with suppress(Exception):
            snapshot = reader.take()
            with suppress(OSError):
                reader.folder.refresh(snapshot.states)
            display.show(snapshot)

    def watch() -> None:
        while not ended.wait(PERIOD_SECONDS):
            update()
        update()

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    try:
        display.begin()
        update()
        thread.start()
        yield
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
        display.end()
