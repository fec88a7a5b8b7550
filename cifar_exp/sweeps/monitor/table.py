"""What is shown of a sweep: while it runs, from another terminal, and at its end."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from cifar_exp.storage.run_state import STATUSES
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.snapshot import Snapshot
from cifar_exp.text import duration, percent

RANKED_LINES = 30


def headline(snapshot: Snapshot) -> str:
    """Counts, the best run so far, and the time to the end, in one line."""
    counts = snapshot.counts
    told = [f"{counts[status]} {status}" for status in STATUSES if counts[status]]
    parts = [f"{snapshot.name}: {_runs(len(snapshot.rows))}", ", ".join(told)]
    best = snapshot.best
    if best is not None:
        parts.append(f"best {percent(snapshot.metric(best))} ({values_of(best)})")
    if snapshot.seconds_left is not None:
        parts.append(f"about {duration(snapshot.seconds_left)} left")
    return "; ".join(part for part in parts if part)


def _runs(number: int) -> str:
    return f"{number} run" if number == 1 else f"{number} runs"


def running_line(snapshot: Snapshot, row: SweepRow) -> tuple[str, str, str, str, str]:
    """A worker's run: process, run, values, epoch, val accuracy so far."""
    state = snapshot.states[row.run_id]
    owner = f"{state.owner.host}:{state.owner.pid}" if state.owner else ""
    name = state.folder.name if state.folder else row.run_id
    epoch = f"{state.epoch}/{state.epochs or '?'}"
    accuracy = state.row.get("val_accuracy") if state.row else None
    return owner, name, values_of(row), epoch, percent(accuracy)


def live_table(snapshot: Snapshot) -> Group:
    """The headline over a line for each worker."""
    table = Table("worker", "run", "values", "epoch", "val", box=None, padding=(0, 2, 0, 0))
    for row in snapshot.running:
        table.add_row(*running_line(snapshot, row))
    return Group(Text(headline(snapshot)), table)


def plain_lines(snapshot: Snapshot) -> Iterator[str]:
    """The same for a terminal that cannot redraw."""
    yield headline(snapshot)
    for row in snapshot.running:
        owner, name, values, epoch, accuracy = running_line(snapshot, row)
        yield f"  running  {name}  {values}  epoch {epoch}  val {accuracy}  by {owner}"


def unsuccessful_lines(snapshot: Snapshot, reasons: Mapping[str, str]) -> Iterator[str]:
    """Each run that did not complete, why, and where to read more."""
    for row in snapshot.rows:
        if row not in snapshot.unsuccessful and not _never_began(snapshot, row, reasons):
            continue
        state = snapshot.states[row.run_id]
        reason = state.reason or reasons.get(row.run_id) or "no reason on record"
        name = state.folder.name if state.folder else row.run_id
        yield f"{state.status:<11} {name}  {values_of(row)}"
        yield f"            {reason}"
        if state.folder is not None:
            yield f"            log: {state.folder / 'train.log'}"


def _never_began(snapshot: Snapshot, row: SweepRow, reasons: Mapping[str, str]) -> bool:
    return snapshot.states[row.run_id].status == "pending" and row.run_id in reasons


def ranking(snapshot: Snapshot) -> Table:
    """The completed runs by val accuracy, the best first, with test accuracy beside it."""
    keys = list(snapshot.rows[0].values) if snapshot.rows else []
    table = Table("rank", *keys, "val", "test", "run", box=None, padding=(0, 2, 0, 0))
    for rank, row in enumerate(snapshot.ranked[:RANKED_LINES], 1):
        state = snapshot.states[row.run_id]
        assert state.record is not None
        counted, test = state.record.selected, state.record.test
        table.add_row(
            str(rank),
            *row.values.values(),
            percent(counted.val_accuracy if counted else None),
            percent(test.accuracy if test else None),
            state.folder.name if state.folder else "",
        )
    return table


def values_of(row: SweepRow) -> str:
    """`width=16 dropout=0.2 seed=0`."""
    return " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in row.values.items())


def disk_used(folders: Sequence[Path]) -> str:
    """What folders take on the disk."""
    size = sum(p.stat().st_size for f in folders for p in f.rglob("*") if p.is_file())
    return f"{size / 1e6:,.0f} MB"


def terminal(mode: str = "auto") -> Console:
    """Standard output, which cuts no lines; `mode` is as in `trainer.progress`."""
    force = True if mode == "bar" else None  # else rich sees for itself
    return Console(highlight=False, soft_wrap=True, force_terminal=force)
