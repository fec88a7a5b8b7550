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


def progress(runs: pd.DataFrame, metric: Metric, series: str) -> pd.DataFrame:
    """A row per run that has ended, in the order of their ends: columns PROGRESS_COLUMNS.

    compute: PFLOP of this and all earlier runs, whether or not they completed. value: of the run,
    NaN if it does not count. best: the best value so far, NaN before the first. `runs`: all of a
    group, with value, is_counted, status, pflop and finished_at. Empty if no run's compute is
    known.
    """
    ended = runs[runs["finished_at"].notna() & (runs["status"] != "running")]
    ended = ended.iloc[pd.to_datetime(ended["finished_at"], utc=True).argsort(kind="stable")]
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

    Comparable are sweeps with the same data, split, kind of device, precision and metric.
    """
    others = [each for each in groups if each is not own and _is_comparable(own, each)]
    tables = [progress(each.runs, each.metric, each.group.title) for each in (own, *others)]
    return pd.concat(tables) if any(map(len, tables)) else tables[0]


def _is_comparable(own: "GroupStatistics", other: "GroupStatistics") -> bool:
    if own.group.sweep is None or other.group.sweep is None or not len(other.counted):
        return False
    if own.metric.name != other.metric.name or not len(own.runs):
        return False
    first, second = (each.runs[list(COMPARABLE)].iloc[0] for each in (own, other))
    return bool((first.astype(str) == second.astype(str)).all())


def reached(table: pd.DataFrame, goal: float, sign: int) -> float:
    """The compute at which the best of a series first was as good as `goal`; NaN if never."""
    compute = table.loc[sign * table["best"] >= sign * goal, "compute"]
    return float(compute.iloc[0]) if len(compute) else float(np.nan)
