"""Curves by configuration: means and bands, early rankings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.metric import Metric

FEWEST_RANKED = 4  # configurations; a rank correlation of fewer means nothing


def by_configuration(history: pd.DataFrame, counted: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row per configuration and epoch: n, mean, and the lowest and the highest seed."""
    rows = history.dropna(subset=[column])
    rows = rows.assign(configuration=rows["run_id"].map(counted["configuration"]))
    groups = rows.dropna(subset=["configuration"]).groupby(["configuration", "epoch"])[column]
    table = groups.agg(["size", "mean", "min", "max"]).reset_index()
    return table.rename(columns={"size": "n", "min": "lowest", "max": "highest"})


def budget_correlation(
    history: pd.DataFrame, counted: pd.DataFrame, metric: Metric
) -> pd.DataFrame:
    """By epoch k: how well the ranking at k, by val accuracy, predicts the final one.

    correlation: Spearman's, between the ranks at k and at the end; lowest and highest: the same, of
    the runs of one seed at k (seeds that all configurations have). cost: how much worse than the
    best the leader at k was at the end. Only runs with the most common number of epochs are used;
    empty without validation data, with fewer than four configurations, or with one epoch.
    """
    names = ["epoch", "correlation", "lowest", "highest", "cost", "configurations"]
    empty = pd.DataFrame(columns=names)
    epochs = counted["epochs_done"]
    if not len(epochs) or epochs.mode().iloc[0] < 2:
        return empty
    same_length = counted[epochs == epochs.mode().iloc[0]]
    early = by_configuration(history, same_length, "val_accuracy")
    final = same_length.groupby("configuration")["value"].mean() * metric.sign
    final = final[final.index.isin(early["configuration"])]
    if not len(early) or len(final) < FEWEST_RANKED or final.nunique() < 2:
        return empty
    table = early.pivot(index="epoch", columns="configuration", values="mean")[list(final.index)]
    seeds = _by_seed(history, same_length, final)
    rows = [
        {
            "epoch": int(epoch),
            "correlation": _spearman(row, final),
            **_range_of_seeds([each.loc[epoch] for each in seeds if epoch in each.index], final),
            "cost": float(final.max() - final[row.idxmax()]),
            "configurations": len(final),
        }
        for epoch, row in table.dropna().iterrows()
    ]
    return pd.DataFrame(rows, columns=names)


def _by_seed(history: pd.DataFrame, runs: pd.DataFrame, final: pd.Series) -> list[pd.DataFrame]:
    """Val accuracy by epoch and configuration, for each seed that all configurations have."""
    rows = history[history["run_id"].isin(runs.index)]
    rows = rows.join(runs[["configuration", "seed"]], on="run_id")
    tables = [
        own.pivot_table(index="epoch", columns="configuration", values="val_accuracy").dropna()
        for _, own in rows.groupby("seed")
    ]
    return [table[list(final.index)] for table in tables if set(final.index) <= set(table.columns)]


def _range_of_seeds(rows: Sequence[pd.Series], final: pd.Series) -> dict[str, float]:
    found = [_spearman(row, final) for row in rows] or [float("nan")]
    return {"lowest": min(found), "highest": max(found)}


def _spearman(a: pd.Series, b: pd.Series) -> float:
    """Spearman's correlation: Pearson's, of the ranks, with the mean rank for ties."""
    if a.nunique() < 2:
        return float("nan")
    return float(np.corrcoef(a.rank(), b.rank())[0, 1])
