"""What a run prints: a progress bar on a terminal, plain lines elsewhere, and train.log."""

import time
from collections.abc import Callable
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cifar_exp.storage.record import RunRecord
from cifar_exp.terminal import is_redrawn, open_console, print_line
from cifar_exp.text import duration, percent

UPDATE_SECONDS = 5.0  # between plain lines about a long operation


class Console:
    """Prints lines, and the progress of long operations, to the terminal and train.log."""

    def __init__(self, mode: str) -> None:
        self._rich = open_console(mode)
        self.is_silent = mode == "none"
        self.has_bar = is_redrawn(self._rich, mode)
        self.log: Callable[[str], None] | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._updated_at = time.monotonic()

    def print(self, text: str) -> None:
        """Print a line to the terminal and the log."""
        if self.log is not None:
            self.log(text)
        if not self.is_silent:
            print_line(self._rich, text)

    def update(self, what: str, done: int, total: int) -> None:
        """Show how far a long operation is: by the bar, or by a line every few seconds."""
        if self.is_silent:
            return
        if self.has_bar:
            self._advance(what, done, total)
        elif done < total and time.monotonic() - self._updated_at > UPDATE_SECONDS:
            self._updated_at = time.monotonic()
            self._rich.print(f"{what}: {done:,} of {total:,}", markup=False)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def _advance(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._rich, transient=True)
            self._task = self._bar.add_task(what, total=total)
            self._bar.start()
        assert self._task is not None
        self._bar.update(self._task, description=what, completed=done, total=total)
        if done >= total:
            self.close()


def print_summary(record: RunRecord, folder: Path, console: Console) -> None:
    """The run's last lines: its metrics, or why it has none."""
    if record.error is not None:
        console.print(f"{record.status:<8} {record.error.type}: {record.error.message}")
        console.print(f"see      {folder / 'train.log'}")
        return
    print_metrics(record, console)
    if record.pruned is not None:
        pruned = record.pruned
        console.print(
            f"paused   after epoch {pruned.epoch} by {pruned.rule}; it can go on from here"
        )
    seconds = duration(record.compute.train_seconds)
    console.print(f"done     {folder} ({seconds} of training)")


def print_metrics(record: RunRecord, console: Console) -> None:
    """Accuracies on validation and test images."""
    selected = record.selected
    has_val = selected is not None and selected.val_accuracy is not None
    if selected is not None and has_val:
        accuracy = percent(selected.val_accuracy)
        console.print(f"val      accuracy {accuracy} after epoch {selected.epoch}")
    if record.test is not None:
        note = "" if has_val else "  (not for choosing: no val)"
        console.print(
            f"test     accuracy {percent(record.test.accuracy)}, "
            f"top-5 {percent(record.test.top5_accuracy)}{note}"
        )
