"""The CSV files: runs, histories, configurations and every comparison."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cifar_exp.analysis.load.frames import CONTEXT, RESULTS, settings_columns
from cifar_exp.analysis.page.history_csv import write_history
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.atomic import write_text


def write_tables(
    folder: Path,
    runs: pd.DataFrame,
    history: pd.DataFrame,
    all_statistics: Sequence[GroupStatistics],
) -> None:
    """Write runs.csv, history.csv, summary.csv, comparisons.csv, effects.csv, interactions.csv and
    importance.csv. Tables of groups have the group's title in `group`.
    """
    _write(folder / "runs.csv", runs_frame(runs, all_statistics))
    write_history(folder / "history.csv", history)
    for name in ("summary", "comparisons", "effects", "interactions"):
        tables = [getattr(statistics, name) for statistics in all_statistics]
        _write(folder / f"{name}.csv", _stacked(all_statistics, tables))
    terms = [getattr(each.importance, "terms", pd.DataFrame()) for each in all_statistics]
    _write(folder / "importance.csv", _stacked(all_statistics, terms))


def runs_frame(runs: pd.DataFrame, all_statistics: Sequence[GroupStatistics]) -> pd.DataFrame:
    """A row per run: groups, results, settings (those that vary first) and context."""
    settings = settings_columns(runs)
    varied = [key for key in settings if runs[key].astype(str).nunique() > 1]
    constant = [key for key in settings if key not in varied]
    titles: dict[str, list[str]] = {str(run_id): [] for run_id in runs.index}
    for statistics in all_statistics:
        for run_id in statistics.runs.index:
            titles[run_id].append(statistics.group.title)
    table = runs[["label", *varied, *RESULTS, *CONTEXT, *constant]].copy()
    table.insert(1, "groups", ["; ".join(own) for own in titles.values()])
    return table.reset_index()


def _stacked(
    all_statistics: Sequence[GroupStatistics], tables: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    named = [
        table.assign(group=statistics.group.title)
        for statistics, table in zip(all_statistics, tables, strict=True)
        if len(table)
    ]
    whole = pd.concat(named, ignore_index=True) if named else pd.DataFrame({"group": []})
    return whole[["group", *whole.columns.drop("group")]]


def _write(path: Path, table: pd.DataFrame) -> None:
    write_text(path, table.to_csv(index=False))
