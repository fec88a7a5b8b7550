"""Texts and tables about a sweep while it runs, and for `status`."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table

from cifar_exp.storage.run_state import STATUSES
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.ranking import ranked, short_values
from cifar_exp.sweeps.monitor.snapshot import Snapshot
from cifar_exp.terminal import plain, wrapped
from cifar_exp.text import counted, duration, percent

LISTED = 20  # queued runs


def headline(snapshot: Snapshot) -> str:
    """Counts, the best configuration so far, and the time left, in one line."""
    return "; ".join(_headings(snapshot))


def _headings(snapshot: Snapshot) -> Iterator[str]:
    runs = f"{snapshot.name}: {counted(len(snapshot.rows), 'run')}"
    queued = f"{len(snapshot.queued)} queued" if snapshot.queued else ""
    yield "; ".join(part for part in (runs, status_counts(snapshot), queued) if part)
    for best in ranked(snapshot)[:1]:
        yield f"best {best.result}"
    if snapshot.seconds_left is not None:
        bound = "at most" if snapshot.counts["pruned"] else "about"  # more runs may be paused
        yield f"{bound} {duration(snapshot.seconds_left)} left"


def status_counts(snapshot: Snapshot) -> str:
    """`3 completed, 1 failed`."""
    counts = snapshot.counts
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


def running_line(snapshot: Snapshot, row: SweepRow) -> tuple[str, str, str, str]:
    """The line of a run in progress: run, values, epoch, val accuracy so far."""
    state = snapshot.states[row.run_id]
    epoch = f"{state.epoch}/{state.epochs or '?'}"
    accuracy = state.row.get("val_accuracy") if state.row else None
    return state.name, short_values(row.values), epoch, percent(accuracy)


def live_table(snapshot: Snapshot) -> Group:
    """The headline, broken to fit, above a line for each run in progress."""
    title = _Headings(tuple(_headings(snapshot)))
    if not snapshot.running:
        return Group(title)
    elsewhere = any(_machine(snapshot, row) for row in snapshot.running)
    columns = ["run", "values", "epoch", "val", *(["machine"] if elsewhere else [])]
    table = Table(*columns, box=None, padding=(0, 2, 0, 0))
    for row in snapshot.running:
        cells = [*running_line(snapshot, row), _machine(snapshot, row)]
        table.add_row(*map(plain, cells[: len(columns)]))
    return Group(title, table)


@dataclass(frozen=True)
class _Headings:
    """The parts of the headline: as many in a row as fit, and none cut."""

    parts: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows: list[str] = []
        for part in self.parts:
            joined = f"{rows[-1]}; {part}" if rows else part
            if rows and len(joined) <= options.max_width:
                rows[-1] = joined
            else:
                rows.append(part)
        for row in rows:
            yield plain(wrapped(row, options.max_width))


def plain_lines(snapshot: Snapshot) -> Iterator[str]:
    """The same for a terminal that cannot redraw."""
    yield headline(snapshot)
    for row in snapshot.running:
        name, values, epoch, accuracy = running_line(snapshot, row)
        machine = _machine(snapshot, row)
        place = f"  on {machine}" if machine else ""
        yield f"  running  {name}  {values}  epoch {epoch}  val {accuracy}{place}"
    yield from _queued_lines(snapshot)


def _queued_lines(snapshot: Snapshot) -> Iterator[str]:
    for row in snapshot.queued[:LISTED]:
        job, name = snapshot.jobs[row.run_id], snapshot.states[row.run_id].name
        values = short_values(row.values)
        yield f"  queued   {name}  {values}  {job.executor} job {job.job_id}"
    if len(snapshot.queued) > LISTED:
        yield f"           and {len(snapshot.queued) - LISTED} more"


def _machine(snapshot: Snapshot, row: SweepRow) -> str:
    """The machine that trains a run, unless it is this one."""
    holder = snapshot.states[row.run_id].holder
    return holder.host if holder is not None and holder.host != socket.gethostname() else ""


def unsuccessful_lines(snapshot: Snapshot, reasons: Mapping[str, str]) -> Iterator[str]:
    """Each run that did not complete, why, and where its log is.

    `reasons`: by run id, for runs that could not record one themselves.
    """
    unsuccessful = {row.run_id for row in snapshot.unsuccessful}
    for row in snapshot.rows:
        if row.run_id not in unsuccessful and not _never_began(snapshot, row, reasons):
            continue
        state = snapshot.states[row.run_id]
        reason = state.reason or reasons.get(row.run_id) or "no reason on record"
        yield f"{state.status:<11} {state.name}  {short_values(row.values)}"
        yield f"            {reason}"
        if state.folder is not None:
            yield f"            log: {state.folder / 'train.log'}"


def _never_began(snapshot: Snapshot, row: SweepRow, reasons: Mapping[str, str]) -> bool:
    return snapshot.states[row.run_id].status == "pending" and row.run_id in reasons


def disk_used(folders: Sequence[Path]) -> str:
    """The space that folders take on the disk."""
    size = sum(_size(path) for folder in folders for path in folder.rglob("*"))
    return f"{size / 1e6:,.0f} MB"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # another process has just replaced it
        return 0
