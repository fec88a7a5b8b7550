"""What a run tells while it goes: a bar on a terminal, plain lines elsewhere, and train.log."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import Row
from cifar_exp.terminal import is_redrawn, open_console, printable
from cifar_exp.text import duration, percent

REPORT_SECONDS = 5.0  # between plain lines about slow work


class RunConsole:
    """Tells lines, and how far slow work has come."""

    def __init__(self, mode: str) -> None:
        self.console = open_console(mode)
        self.is_silent = mode == "none"
        self.has_bar = is_redrawn(self.console, mode)
        self.log: Callable[[str], None] | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._told_at = time.monotonic()

    def line(self, text: str) -> None:
        """A line for the terminal and the log."""
        if self.log is not None:
            self.log(text)
        if not self.is_silent:
            self.console.print(printable(text), markup=False)
            sys.stdout.flush()

    def report(self, what: str, done: int, total: int) -> None:
        """Slow work has come so far; told by the bar or now and then by a line."""
        if self.is_silent:
            return
        if self.has_bar:
            self._advance(what, done, total)
        elif done < total and time.monotonic() - self._told_at > REPORT_SECONDS:
            self._told_at = time.monotonic()
            self.console.print(f"{what}: {done:,} of {total:,}", markup=False)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def _advance(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._task = self._bar.add_task(what, total=total)
            self._bar.start()
        assert self._task is not None
        self._bar.update(self._task, description=what, completed=done, total=total)
        if done >= total:
            self.close()


def print_summary(record: RunRecord, folder: Path, teller: RunConsole) -> None:
    """The run's last lines: its figures, or why it has none."""
    if record.error is not None:
        teller.line(f"{record.status:<8} {record.error.type}: {record.error.message}")
        teller.line(f"see      {folder / 'train.log'}")
        return
    print_metrics(record, teller)
    seconds = duration(record.compute.train_seconds)
    teller.line(f"done     {folder} ({seconds} of training)")


def print_metrics(record: RunRecord, teller: RunConsole) -> None:
    """Accuracies on validation and test images."""
    chosen = record.selected
    if chosen is not None and chosen.val_accuracy is not None:
        teller.line(f"val      accuracy {percent(chosen.val_accuracy)} after epoch {chosen.epoch}")
    if record.test is not None:
        note = "" if chosen and chosen.val_accuracy is not None else "  (not for choosing: no val)"
        teller.line(
            f"test     accuracy {percent(record.test.accuracy)}, "
            f"top-5 {percent(record.test.top5_accuracy)}{note}"
        )


def epoch_line(row: Row, epochs: int, best: float | None, seconds_left: float) -> str:
    """One epoch's figures: losses in nats, accuracies in percent."""
    parts = [f"epoch {row['epoch']:>3}/{epochs}", f"loss {row['train_loss']:.3f}"]
    if row["train_accuracy"] is not None:
        parts.append(f"train {percent(row['train_accuracy'])}")
    if row["val_accuracy"] is not None:
        parts.append(f"val {percent(row['val_accuracy'])}")
        parts.append(f"best {percent(best)}")
    parts.append(f"{row['images_per_second']:,.0f} images/s")
    parts.append(f"{duration(seconds_left)} left")
    return "  ".join(parts)
