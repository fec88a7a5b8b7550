"""The CSV files: runs, histories, configurations, and every comparison."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.frames import CIRCUMSTANCES, FIGURES, settings_columns
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.atomic import write_text
from cifar_exp.storage.run_folder import METRICS


def write_tables(
    folder: Path, runs: pd.DataFrame, history: pd.DataFrame, studies: Sequence[GroupStatistics]
) -> None:
    """runs.csv, history.csv, summary.csv, comparisons.csv, effects.csv, interactions.csv and
    importance.csv in `folder`; tables of sections carry their names in `section`."""
    _write(folder / "runs.csv", run_table(runs, studies))
    columns = ["run_id", *METRICS, *history.columns.difference(["run_id", *METRICS], sort=False)]
    _write(folder / "history.csv", _with_whole_numbers(history[columns]))
    _write(folder / "summary.csv", _stacked(studies, [study.summary for study in studies]))
    for name in ("comparisons", "effects", "interactions"):
        tables = [getattr(study, name) for study in studies]
        _write(folder / f"{name}.csv", _stacked(studies, tables))
    terms = [getattr(study.importance, "terms", pd.DataFrame()) for study in studies]
    _write(folder / "importance.csv", _stacked(studies, terms))


def run_table(runs: pd.DataFrame, studies: Sequence[GroupStatistics]) -> pd.DataFrame:
    """A row a run: sections, figures, settings (those that vary first), circumstances."""
    settings = settings_columns(runs)
    varied = [key for key in settings if runs[key].astype(str).nunique() > 1]
    constant = [key for key in settings if key not in varied]
    sections: dict[str, list[str]] = {str(run_id): [] for run_id in runs.index}
    for study in studies:
        for run_id in study.runs.index:
            sections[run_id].append(study.section.title)
    table = runs[["label", *varied, *FIGURES, *CIRCUMSTANCES, *constant]].copy()
    table.insert(1, "sections", ["; ".join(names) for names in sections.values()])
    return table.reset_index()


def _stacked(studies: Sequence[GroupStatistics], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    named = [
        table.assign(section=study.section.title)
        for study, table in zip(studies, tables, strict=True)
        if len(table)
    ]
    whole = pd.concat(named, ignore_index=True) if named else pd.DataFrame({"section": []})
    return whole[["section", *whole.columns.drop("section")]]


def _with_whole_numbers(history: pd.DataFrame) -> pd.DataFrame:
    steps = history["step"].where(np.isfinite(history["step"])).round()
    return history.assign(epoch=history["epoch"].astype("Int64"), step=steps.astype("Int64"))


def _write(path: Path, table: pd.DataFrame) -> None:
    write_text(path, table.to_csv(index=False))
