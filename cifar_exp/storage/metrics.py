"""metrics.csv and extra.csv: their columns, and reading what is whole in them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.storage.reading import UnreadableError, read_bytes, read_text

METRICS_COLUMNS = (
    "epoch",
    "step",
    "lr",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "val_top5_accuracy",
    "epoch_seconds",
    "elapsed_seconds",
    "images_per_second",
)
EXTRA_COLUMNS = ("epoch", "train_eval_loss", "train_eval_accuracy")


@dataclass(frozen=True)
class EpochTable:
    """The header and the whole data lines of a CSV file with a row per epoch.

    `problems` say what was left out, and why.
    """

    columns: tuple[str, ...]
    lines: tuple[str, ...]
    problems: tuple[str, ...] = ()


def read_epoch_table(path: Path) -> EpochTable | None:
    """Read a CSV file of numbers by epoch, without torn or damaged lines; None if it is missing."""
    try:
        text = read_text(path)
    except FileNotFoundError:
        return None
    except UnreadableError as error:
        return EpochTable((), (), (str(error),))
    lines = text.split("\n")
    torn = lines.pop()  # empty where the last line is whole
    columns = tuple(lines[0].rstrip("\r").split(",")) if lines else ()
    if "epoch" not in columns:
        return EpochTable((), (), (f"{path.name} has no column epoch",))
    commas = len(columns) - 1
    whole = tuple([line for line in lines[1:] if line.count(",") == commas])
    problems = [f"{path.name} has a torn last line, which is ignored"] if torn else []
    damaged = len(lines) - 1 - len(whole)
    if damaged:
        lines_are = "line, which is" if damaged == 1 else "lines, which are"
        problems.append(f"{path.name} has {damaged} damaged {lines_are} ignored")
    return EpochTable(columns, whole, tuple(problems))


def last_row(folder: Path) -> dict[str, float] | None:
    """The last whole line of a run's metrics.csv, without empty cells; None if there is none."""
    try:
        # without a table of all lines, because `status` reads tens of thousands of files
        lines = read_bytes(folder / "metrics.csv").rpartition(b"\n")[0].decode("utf-8-sig")
    except (OSError, ValueError):
        return None
    header, _, rows = lines.partition("\n")
    columns = header.rstrip("\r").split(",")
    if "epoch" not in columns:
        return None
    while rows:
        rows, _, line = rows.rpartition("\n")
        if line.count(",") == len(columns) - 1:
            return _numbers(columns, line)
    return None


def _numbers(columns: Sequence[str], line: str) -> dict[str, float] | None:
    cells = zip(columns, line.rstrip("\r").split(","), strict=True)
    try:
        row = {column: float(cell) for column, cell in cells if cell}
    except ValueError:
        return None
    return row if "epoch" in row else None


def read_val_accuracies(folder: Path) -> list[float]:
    """The val accuracies of a run's metrics.csv from epoch 1 on, as far as they are whole."""
    table = read_epoch_table(folder / "metrics.csv")
    found: list[float] = []
    if table is None or not {"epoch", "val_accuracy"} <= set(table.columns):
        return found
    epoch, accuracy = table.columns.index("epoch"), table.columns.index("val_accuracy")
    for line in table.lines:
        cells = line.split(",")
        try:
            value = float(cells[accuracy])
        except ValueError:
            break
        if cells[epoch] != str(len(found) + 1) or not math.isfinite(value):
            break
        found.append(value)
    return found
