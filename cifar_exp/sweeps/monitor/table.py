"""Texts and tables about a sweep: while it runs, for `status`, and at its end."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Group
from rich.table import Table

from cifar_exp.storage.run_state import STATUSES
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.snapshot import Snapshot
from cifar_exp.terminal import plain
from cifar_exp.text import counted, duration, percent

RANKED_LINES = 30


def headline(snapshot: Snapshot) -> str:
    """Counts, the best run so far, and the time left, in one line."""
    runs = counted(len(snapshot.rows), "run")
    parts = [f"{snapshot.name}: {runs}", status_counts(snapshot)]
    best = snapshot.best
    if best is not None:
        parts.append(f"best {percent(snapshot.metric(best))} ({values_of(best)})")
    if snapshot.seconds_left is not None:
        parts.append(f"about {duration(snapshot.seconds_left)} left")
    return "; ".join(part for part in parts if part)


def status_counts(snapshot: Snapshot) -> str:
    """`3 completed, 1 failed`."""
    counts = snapshot.counts
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


def running_line(snapshot: Snapshot, row: SweepRow) -> tuple[str, str, str, str, str]:
    """The line of a run in progress: process, run, values, epoch, val accuracy so far."""
    state = snapshot.states[row.run_id]
    process = f"{state.holder.host}:{state.holder.pid}" if state.holder else ""
    epoch = f"{state.epoch}/{state.epochs or '?'}"
    accuracy = state.row.get("val_accuracy") if state.row else None
    return process, state.name, values_of(row), epoch, percent(accuracy)


def live_table(snapshot: Snapshot) -> Group:
    """The headline above a line for each run in progress."""
    table = Table("worker", "run", "values", "epoch", "val", box=None, padding=(0, 2, 0, 0))
    for row in snapshot.running:
        table.add_row(*map(plain, running_line(snapshot, row)))
    return Group(plain(headline(snapshot)), table)


def plain_lines(snapshot: Snapshot) -> Iterator[str]:
    """The same for a terminal that cannot redraw."""
    yield headline(snapshot)
    for row in snapshot.running:
        process, name, values, epoch, accuracy = running_line(snapshot, row)
        yield f"  running  {name}  {values}  epoch {epoch}  val {accuracy}  by {process}"


def unsuccessful_lines(snapshot: Snapshot, reasons: Mapping[str, str]) -> Iterator[str]:
    """Each run that did not complete, why, and where its log is.

    `reasons`: by run id, for runs that could not record one themselves.
    """
    for row in snapshot.rows:
        if row not in snapshot.unsuccessful and not _never_began(snapshot, row, reasons):
            continue
        state = snapshot.states[row.run_id]
        reason = state.reason or reasons.get(row.run_id) or "no reason on record"
        yield f"{state.status:<11} {state.name}  {values_of(row)}"
        yield f"            {reason}"
        if state.folder is not None:
            yield f"            log: {state.folder / 'train.log'}"


def _never_began(snapshot: Snapshot, row: SweepRow, reasons: Mapping[str, str]) -> bool:
    return snapshot.states[row.run_id].status == "pending" and row.run_id in reasons


def ranking(snapshot: Snapshot) -> Table:
    """The completed runs by val accuracy, the best first, with test accuracy beside it."""
    keys = list(snapshot.rows[0].values) if snapshot.rows else []
    table = Table("rank", box=None, padding=(0, 2, 0, 0))
    for column in (*keys, "val", "test", "run"):
        table.add_column(plain(column))
    for rank, row in enumerate(snapshot.ranked[:RANKED_LINES], 1):
        state = snapshot.states[row.run_id]
        assert state.record is not None
        selected, test = state.record.selected, state.record.test
        cells = (
            str(rank),
            *row.values.values(),
            percent(selected.val_accuracy if selected else None),
            percent(test.accuracy if test else None),
            state.folder.name if state.folder else "",
        )
        table.add_row(*map(plain, cells))
    return table


def values_of(row: SweepRow) -> str:
    """`width=16 dropout=0.2 seed=0`."""
    return " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in row.values.items())


def disk_used(folders: Sequence[Path]) -> str:
    """The space that folders take on the disk."""
    size = sum(_size(path) for folder in folders for path in folder.rglob("*"))
    return f"{size / 1e6:,.0f} MB"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # another process has just replaced it
        return 0
