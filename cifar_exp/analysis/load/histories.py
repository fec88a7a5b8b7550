"""Many small CSV files by epoch -> one frame, parsed in one go for each kind of header."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.parse import RUN, Table, read_table
from cifar_exp.storage.run_folder import METRICS

LARGEST_COUNT = 2**53  # beyond it, whole numbers are not exact


@dataclass(frozen=True)
class Histories:
    """`frame`: a row a run and epoch, `RUN` and numbers; `complaints` by the run's place."""

    frame: pd.DataFrame
    complaints: Mapping[int, Sequence[str]]


def read_histories(folders: Mapping[int, Path]) -> Histories:
    """metrics.csv and extra.csv of these runs, joined by epoch, which rises within a run.

    Columns of metrics.csv that a file lacks, and cells that are no numbers, are NaN.
    """
    complaints: dict[int, list[str]] = defaultdict(list)
    metrics = _read_all(folders, "metrics.csv", complaints)
    extra = _read_all(folders, "extra.csv", complaints)
    frame = metrics.reindex(columns=list(dict.fromkeys([RUN, *METRICS, *metrics.columns])))
    added = [column for column in extra.columns if column not in frame.columns]
    if added:
        frame = frame.merge(extra[[RUN, "epoch", *added]], on=[RUN, "epoch"], how="left")
    return Histories(frame, complaints)


def _read_all(
    folders: Mapping[int, Path], name: str, complaints: dict[int, list[str]]
) -> pd.DataFrame:
    by_header: dict[tuple[str, ...], dict[int, Table]] = defaultdict(dict)
    for place, folder in folders.items():
        table = read_table(folder / name)
        if table is None:
            continue
        complaints[place] += table.complaints
        if table.lines:
            by_header[table.header][place] = table
    frames = [_parsed(header, tables, name, complaints) for header, tables in by_header.items()]
    empty = pd.DataFrame({RUN: np.array([], dtype=np.int64), "epoch": np.array([], dtype=float)})
    whole = pd.concat(frames, ignore_index=True) if frames else empty
    whole = whole[np.isfinite(whole["epoch"]) & (whole["epoch"] % 1 == 0)]
    whole = whole.drop_duplicates([RUN, "epoch"], keep="last")
    return whole.sort_values([RUN, "epoch"], ignore_index=True)


def _parsed(
    header: tuple[str, ...],
    tables: Mapping[int, Table],
    name: str,
    complaints: dict[int, list[str]],
) -> pd.DataFrame:
    text = "\n".join(line for table in tables.values() for line in table.lines)
    frame = pd.read_csv(
        io.StringIO(text),
        header=None,
        names=list(header),
        skip_blank_lines=False,
        quoting=csv.QUOTE_NONE,
    )
    runs = np.repeat(list(tables), [len(table.lines) for table in tables.values()])
    for column in frame.columns[~frame.dtypes.map(pd.api.types.is_numeric_dtype)]:
        numbers = frame[column].map(_number)
        for place in np.unique(runs[numbers.isna() & frame[column].notna()]):
            complaints[int(place)].append(
                f"without cells of {column} in {name} that are no numbers"
            )
        frame[column] = numbers
    for column in {"epoch", "step"} & set(header):
        frame[column] = frame[column].where(frame[column].abs() < LARGEST_COUNT)
    frame.insert(0, RUN, runs)
    return frame.astype(dict.fromkeys(header, float))


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
