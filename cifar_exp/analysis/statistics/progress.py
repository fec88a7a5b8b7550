"""The progress of a sweep: the best result so far by the compute spent until then."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.frames import COMPARABLE
from cifar_exp.analysis.statistics.metric import Metric

if TYPE_CHECKING:
    from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

PROGRESS_COLUMNS = ("series", "compute", "best", "value", "status")
FEWEST = 3  # results that make a progress
MOST_OTHERS = 5  # sweeps beside one


def progress(runs: pd.DataFrame, metric: Metric, series: str) -> pd.DataFrame:
    """A row per run that has ended, in the order of their ends: columns PROGRESS_COLUMNS.

    compute: PFLOP of this and all earlier runs, whether or not they completed. value: of the run,
    NaN if it does not count. best: the best value so far, NaN before the first. `runs`: all of a
    group, with value, is_counted, status, pflop and finished_at. Empty if no run's compute is
    known.
    """
    ends = pd.to_datetime(runs["finished_at"], utc=True, errors="coerce", format="ISO8601")
    ends = ends[ends.notna() & (runs["status"] != "running")]
    ended = runs.loc[ends.sort_values(kind="stable").index]
    spent = ended["pflop"].astype(float).fillna(0.0)
    if not spent.gt(0).any():
        return pd.DataFrame(columns=list(PROGRESS_COLUMNS))
    value = ended["value"].where(ended["is_counted"]).astype(float)
    best = metric.sign * (metric.sign * value).cummax().ffill()
    columns = (series, spent.cumsum(), best, value, ended["status"])
    table = dict(zip(PROGRESS_COLUMNS, columns, strict=True))
    return pd.DataFrame(table, index=ended.index)


def all_progress(own: "GroupStatistics", groups: Sequence["GroupStatistics"]) -> pd.DataFrame:
    """The progress of a group, and after it that of the comparable other sweeps of a report.

    Comparable are sweeps with the same data, split, kind of device, precision and metric; five at
    most, without those that confirm a selection or have fewer than three results.
    """
    others = [each for each in groups if each is not own and _is_comparable(own, each)]
    tables = [each.progress for each in (own, *others[:MOST_OTHERS])]
    return pd.concat([table for table in tables if len(table)] or tables)


def _is_comparable(own: "GroupStatistics", other: "GroupStatistics") -> bool:
    if own.group.sweep is None or other.group.sweep is None or other.is_confirming:
        return False
    is_enough = other.progress["value"].notna().sum() >= FEWEST
    return bool(is_enough) and _conditions(own) == _conditions(other)


def _conditions(statistics: "GroupStatistics") -> tuple[str, ...]:
    first = statistics.runs.iloc[:1]
    values = [str(value) for name in COMPARABLE for value in first[name]]
    return (statistics.metric.name, *values)


def reached(table: pd.DataFrame, goal: float, sign: int) -> float:
    """The compute at which the best of a series first was as good as `goal`; NaN if never."""
    compute = table.loc[sign * table["best"] >= sign * goal, "compute"]
    return float(compute.iloc[0]) if len(compute) else float(np.nan)
