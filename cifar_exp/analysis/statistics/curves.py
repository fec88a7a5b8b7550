"""Curves by configuration: means and bands, early rankings."""

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
    table = table.dropna()
    by_seed = [_spearman(own, final) for own in _by_seed(history, same_length, final)]
    seeds = pd.DataFrame(dict(enumerate(by_seed)), table.index, dtype=float)
    leaders = final.to_numpy()[table.to_numpy().argmax(axis=1)] if len(table) else []
    found = {
        "epoch": table.index.astype(int),
        "correlation": _spearman(table, final).to_numpy(),
        "lowest": seeds.min(axis="columns").to_numpy(),
        "highest": seeds.max(axis="columns").to_numpy(),
        "cost": final.max() - leaders,
        "configurations": len(final),
    }
    return pd.DataFrame(found, columns=names)


def _by_seed(history: pd.DataFrame, runs: pd.DataFrame, final: pd.Series) -> list[pd.DataFrame]:
    """Val accuracy by epoch and configuration, for each seed that all configurations have."""
    rows = history[history["run_id"].isin(runs.index)]
    rows = rows.join(runs[["configuration", "seed"]], on="run_id")
    tables = [
        own.pivot(index="epoch", columns="configuration", values="val_accuracy").dropna()
        for _, own in rows.groupby("seed")
    ]
    return [table[list(final.index)] for table in tables if set(final.index) <= set(table.columns)]


def _spearman(table: pd.DataFrame, final: pd.Series) -> pd.Series:
    """Spearman's correlation of each row with `final`: Pearson's, of ranks, ties their mean.

    NaN for a row of equal values.
    """
    ranks, last = table.rank(axis="columns").to_numpy(), final.rank().to_numpy()
    ranks, last = ranks - ranks.mean(axis=1, keepdims=True), last - last.mean()
    sizes = np.sqrt((ranks**2).sum(axis=1) * (last**2).sum())
    found = np.divide(ranks @ last, sizes, out=np.full(len(table), np.nan), where=sizes > 0)
    return pd.Series(found, table.index)
