"""metrics.csv and extra.csv of many runs -> one frame, parsed at once by equal columns."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.storage.metrics import METRICS_COLUMNS, EpochTable, read_epoch_table

RUN = "run"  # the column that holds the index of a row's run among those read
RESERVED = {RUN, "run_id"}
AT_ONCE = 1000  # files whose text is in memory
LARGEST_COUNT = 2**53  # larger whole numbers are not exact


@dataclass(frozen=True)
class Curves:
    """`frame`: a row per run and epoch, `RUN` and numbers; `problems` by the run's index."""

    frame: pd.DataFrame
    problems: Mapping[int, Sequence[str]]


def read_curves(folders: Mapping[int, Path]) -> Curves:
    """metrics.csv and extra.csv of these runs, joined by epoch and sorted by run and epoch.

    A missing column of metrics.csv, or a cell that is not a number, becomes NaN.
    """
    problems: dict[int, list[str]] = defaultdict(list)
    metrics = _read_all(folders, "metrics.csv", problems)
    extra = _read_all(folders, "extra.csv", problems)
    frame = metrics.reindex(columns=list(dict.fromkeys([RUN, *METRICS_COLUMNS, *metrics.columns])))
    added = [column for column in extra.columns if column not in frame.columns]
    if added:
        frame = frame.merge(extra[[RUN, "epoch", *added]], on=[RUN, "epoch"], how="left")
    return Curves(frame, problems)


def _read_all(
    folders: Mapping[int, Path], name: str, problems: dict[int, list[str]]
) -> pd.DataFrame:
    runs = list(folders)
    frames: list[pd.DataFrame] = []
    for start in range(0, len(runs), AT_ONCE):
        part = {run: folders[run] for run in runs[start : start + AT_ONCE]}
        tables = _read_tables(part, name, problems)
        frames += [_parse(columns, own, name, problems) for columns, own in tables.items()]
    empty = pd.DataFrame({RUN: np.array([], dtype=np.int64), "epoch": np.array([], dtype=float)})
    whole = pd.concat(frames, ignore_index=True) if frames else empty
    whole = whole[np.isfinite(whole["epoch"]) & (whole["epoch"] % 1 == 0)]
    whole = whole.drop_duplicates([RUN, "epoch"], keep="last")
    return whole.sort_values([RUN, "epoch"], ignore_index=True)


def _read_tables(
    folders: Mapping[int, Path], name: str, problems: dict[int, list[str]]
) -> Mapping[tuple[str, ...], Mapping[int, EpochTable]]:
    """The tables that have lines, by their columns and by run."""
    by_columns: dict[tuple[str, ...], dict[int, EpochTable]] = defaultdict(dict)
    for run, folder in folders.items():
        table = _read(folder / name)
        if table is None:
            continue
        problems[run] += table.problems
        if table.lines:
            by_columns[table.columns][run] = table
    return by_columns


def _read(path: Path) -> EpochTable | None:
    table = read_epoch_table(path)
    if table is None:
        return None
    columns = set(table.columns)
    if len(columns) < len(table.columns) or columns & RESERVED:
        reason = f"{path.name} has a duplicate column, or one with a reserved name"
        return EpochTable((), (), (reason,))
    return table


def _parse(
    columns: tuple[str, ...],
    tables: Mapping[int, EpochTable],
    name: str,
    problems: dict[int, list[str]],
) -> pd.DataFrame:
    text = "\n".join(chain.from_iterable(table.lines for table in tables.values()))
    frame = pd.read_csv(
        io.StringIO(text),
        header=None,
        names=list(columns),
        skip_blank_lines=False,
        quoting=csv.QUOTE_NONE,
    )
    runs = np.repeat(list(tables), [len(table.lines) for table in tables.values()])
    for column in frame.columns[~frame.dtypes.map(pd.api.types.is_numeric_dtype)]:
        numbers = frame[column].map(_number)
        for run in np.unique(runs[numbers.isna() & frame[column].notna()]):
            problems[int(run)].append(f"{name} has cells in {column} that are not numbers")
        frame[column] = numbers
    for column in {"epoch", "step"} & set(columns):
        frame[column] = frame[column].where(frame[column].abs() < LARGEST_COUNT)
    frame.insert(0, RUN, runs)
    return frame.astype(dict.fromkeys(columns, float))


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
