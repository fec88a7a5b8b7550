"""Runs that differ in nothing but the seed are one configuration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import Factor, level_frame
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.significance import mean_interval

ONLY = "the only configuration"


@dataclass(frozen=True)
class Configured:
    """`runs` with `configuration`, `value` (the metric), `is_counted` and the settings' levels as
    text; `doubles` are runs not counted because a newer one has the same settings and seed.
    """

    runs: pd.DataFrame
    doubles: Sequence[str]

    @property
    def selected(self) -> pd.DataFrame:
        """The completed runs that the statistics are made of."""
        return self.runs[self.runs["is_counted"]]


def configure(runs: pd.DataFrame, settings: Sequence[Factor], metric: Metric) -> Configured:
    """Name each run's configuration and say whether it counts: completed, with a finite value."""
    levels = level_frame(runs, [setting.key for setting in settings])
    value = pd.to_numeric(runs[metric.name]).astype(float)
    is_counted = (runs["status"] == "completed") & np.isfinite(value)
    names = [
        " ".join(f"{s.name}={level}" for s, level in zip(settings, row, strict=True)) or ONLY
        for row in levels.itertuples(index=False)
    ]
    frame = runs.drop(columns=levels.columns).join(levels)
    frame = frame.assign(configuration=names, value=value, is_counted=is_counted)
    counted = frame[is_counted].sort_values("finished_at", kind="stable")
    doubles = counted.index[counted.duplicated(["configuration", "seed"], keep="last")]
    frame.loc[doubles, "is_counted"] = False
    return Configured(frame, list(doubles))


def summarise(configured: Configured, settings: Sequence[Factor], metric: Metric) -> pd.DataFrame:
    """A row a configuration, the best mean first.

    n, mean, sd, ci_low and ci_high (95 %, Student's t; NaN at n = 1), best; means of test accuracy,
    train seconds and PFLOP; parameters; the numbers of runs that are not counted.
    """
    groups = configured.runs.groupby("configuration", sort=False)
    rows = [_summary_row(str(name), group, settings, metric) for name, group in groups]
    table = pd.DataFrame(rows, columns=None if rows else ["configuration", "n", "mean"])
    order = (-metric.sign * table["mean"]).argsort(kind="stable")  # NaN goes last
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "rank", np.where(table["n"] > 0, table.index + 1, 0))
    return table


def _summary_row(
    name: str, group: pd.DataFrame, settings: Sequence[Factor], metric: Metric
) -> dict[str, object]:
    counted = group[group["is_counted"]]
    values = counted["value"].to_numpy()
    low, high = mean_interval(values)
    tests = counted["test_accuracy"].astype(float)
    best = values.max(initial=-np.inf) if metric.is_higher_better else values.min(initial=np.inf)
    return {
        "configuration": name,
        **{setting.key: group[setting.key].iloc[0] for setting in settings},
        "n": len(values),
        "mean": values.mean() if len(values) else np.nan,
        "sd": values.std(ddof=1) if len(values) > 1 else np.nan,
        "ci_low": low,
        "ci_high": high,
        "best": best if len(values) else np.nan,
        "test_mean": tests.mean(),
        "test_sd": tests.std(),
        "train_seconds": counted["train_seconds"].mean(),
        "pflop": counted["pflop"].mean(),
        "parameters": counted["parameters"].max() if len(values) else np.nan,
        "not_counted": len(group) - len(values),
        "diverged": int((group["status"] == "diverged").sum()),
        "failed": int((group["status"] == "failed").sum()),
    }


def deviations(counted: pd.DataFrame) -> pd.DataFrame:
    """A row a run of a configuration with two seeds or more: configuration, deviation from its
    mean.
    """
    groups = counted.groupby("configuration")["value"]
    table = counted[["configuration"]].assign(deviation=counted["value"] - groups.transform("mean"))
    return table[groups.transform("size") > 1]


def seed_noise(counted: pd.DataFrame) -> tuple[float, int]:
    """SD between seeds of one configuration, pooled over all, and its degrees of freedom."""
    table = deviations(counted)
    df = len(table) - table["configuration"].nunique()
    return (float((table["deviation"] ** 2).sum() / df) ** 0.5 if df else float("nan")), df
