"""What `status` says of one run: where it is, what it was asked, its best epoch and its curve."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from cifar_exp.storage.metrics import read_epoch_table
from cifar_exp.storage.reading import UnreadableError, read_yaml
from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.monitor.chart import accuracy_chart
from cifar_exp.text import counted, duration, percent

Curve = Sequence[tuple[float, float]]  # epoch and accuracy
CURVES = {"val_accuracy": "val", "train_accuracy": "train"}  # the second where there is no val


def run_line(state: RunState) -> str:
    """`completed   tiny-0123456789  epoch 8/8  val 60.10 %`, and why if it did not complete."""
    accuracy = percent(state.row.get("val_accuracy") if state.row else None)
    epoch = f"{state.epoch}/{state.epochs or '?'}"
    line = f"{state.status:<11} {state.name}  epoch {epoch}  val {accuracy}"
    return f"{line}  {state.reason}" if state.reason else line


def detail_lines(state: RunState, *, is_ascii: bool) -> Iterator[str]:
    """All of that, a line each, and the chart; `is_ascii` as in `accuracy_chart`."""
    yield run_line(state)
    if state.folder is None:
        return
    asked = _overrides(state.folder)
    if asked:
        yield f"set      {' '.join(asked)}"
    yield from _result_lines(state)
    column, curve = _curve(state.folder)
    if len(curve) > 1:
        yield f"curve    accuracy on {CURVES[column]} by epoch"
        yield accuracy_chart(curve, state.epochs or int(curve[-1][0]), is_ascii=is_ascii)


def _overrides(folder: Path) -> list[str]:
    """What differs from the defaults: what was typed, or what the sweep set."""
    try:
        overrides = read_yaml(folder / "overrides.yaml")
    except (OSError, UnreadableError):
        return []
    return [str(override) for override in overrides] if isinstance(overrides, list) else []


def _result_lines(state: RunState) -> Iterator[str]:
    record = state.record
    if record is None:
        return
    best = record.best
    if best is not None and best.val_accuracy is not None:
        yield f"best     {percent(best.val_accuracy)} on val, after epoch {best.epoch}"
    if record.test is not None:
        top5 = percent(record.test.top5_accuracy)
        yield f"test     {percent(record.test.accuracy)}, top-5 {top5}"
    elapsed = state.row.get("elapsed_seconds") if state.row else None
    if elapsed is not None and math.isfinite(elapsed):
        device, threads = record.compute.device, record.compute.threads
        place = device if device != "cpu" else f"cpu, {counted(threads, 'thread')}"
        yield f"time     {duration(elapsed)} for {counted(state.epoch, 'epoch')} ({place})"


def _curve(folder: Path) -> tuple[str, Curve]:
    """The accuracy on val by epoch, or where there is none that on train; and its column."""
    for column in CURVES:
        curve = _series(folder, column)
        if curve:
            return column, curve
    return column, []


def _series(folder: Path, column: str) -> Curve:
    table = read_epoch_table(folder / "metrics.csv")
    if table is None or column not in table.columns:
        return []
    at, epoch = table.columns.index(column), table.columns.index("epoch")
    cells = [line.rstrip("\r").split(",") for line in table.lines]
    try:
        curve = [(float(row[epoch]), float(row[at])) for row in cells if row[at]]
    except ValueError:
        return []
    return [point for point in curve if all(map(math.isfinite, point)) and point[1] >= 0]
