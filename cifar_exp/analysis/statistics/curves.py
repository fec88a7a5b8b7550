"""Curves by configuration: means and bands, the gap to training images, early rankings."""

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.metric import Metric

FEWEST_RANKED = 4  # configurations; a rank correlation of fewer means nothing


def by_configuration(history: pd.DataFrame, counted: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row per configuration and epoch: n, mean, low and high, one SD away (NaN at n = 1)."""
    rows = history.dropna(subset=[column])
    rows = rows.assign(configuration=rows["run_id"].map(counted["configuration"]))
    groups = rows.dropna(subset=["configuration"]).groupby(["configuration", "epoch"])[column]
    table = groups.agg(["size", "mean", "std"]).reset_index()
    table = table.rename(columns={"size": "n", "std": "sd"})
    return table.assign(low=table["mean"] - table["sd"], high=table["mean"] + table["sd"])


def with_gap(history: pd.DataFrame) -> pd.DataFrame:
    """The history with `gap`: accuracy on training images, not augmented, minus val accuracy."""
    if "train_eval_accuracy" not in history:
        return history.assign(gap=np.nan)
    return history.assign(gap=history["train_eval_accuracy"] - history["val_accuracy"])


def budget_correlation(
    history: pd.DataFrame, counted: pd.DataFrame, metric: Metric
) -> pd.DataFrame:
    """By epoch k: how well the ranking at k, by val accuracy, predicts the final one.

    correlation: Spearman's, between the ranks at k and at the end. cost: how much worse than the
    best the leader at k was at the end. Only runs with the most common number of epochs are used;
    empty without validation data, with fewer than four configurations, or with one epoch.
    """
    empty = pd.DataFrame(columns=["epoch", "correlation", "cost", "configurations"])
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
    rows = [
        {
            "epoch": int(epoch),
            "correlation": _spearman(row, final),
            "cost": float(final.max() - final[row.idxmax()]),
            "configurations": len(final),
        }
        for epoch, row in table.dropna().iterrows()
    ]
    return pd.DataFrame(rows, columns=list(empty.columns))


def _spearman(a: pd.Series, b: pd.Series) -> float:
    return float(a.rank().corr(b.rank())) if a.nunique() > 1 else float("nan")


def rate_curves(history: pd.DataFrame, counted: pd.DataFrame) -> pd.DataFrame:
    """Learning rate by step, each distinct curve once: curve, configurations, step, lr."""
    rows = history[history["run_id"].isin(counted.index)].dropna(subset=["lr", "step"])
    curves: dict[tuple[float, ...], list[str]] = {}
    frames = []
    for run_id, run in rows.groupby("run_id", sort=False):
        shape = (*run["step"], *run["lr"].round(10))
        if shape not in curves:
            frames.append(run[["step", "lr"]].assign(curve=len(curves)))
        users = curves.setdefault(shape, [])
        name = str(counted.loc[run_id, "configuration"])
        if name not in users:
            users.append(name)
    if not frames:
        return pd.DataFrame(columns=["curve", "configurations", "step", "lr"])
    users_of = dict(enumerate(curves.values()))
    table = pd.concat(frames, ignore_index=True)
    return table.assign(configurations=table["curve"].map(users_of))
