"""Group runs that differ only in the seed into configurations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import Factor, level_frame
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.significance import mean_interval

ONLY = "the only configuration"  # its name where nothing varied


@dataclass(frozen=True)
class ConfiguredRuns:
    """`runs` with `configuration`, `value` (the metric), `is_counted`, and levels as text.

    `superseded`: ids of runs that do not count, because a newer run has the same settings and seed.
    """

    runs: pd.DataFrame
    superseded: Sequence[str]

    @property
    def counted(self) -> pd.DataFrame:
        """The runs that the statistics are computed from."""
        return self.runs[self.runs["is_counted"]]


def assign_configurations(
    runs: pd.DataFrame, factors: Sequence[Factor], metric: Metric
) -> ConfiguredRuns:
    """Name each run's configuration, and mark what counts: completed runs with a finite value."""
    levels = level_frame(runs, [factor.key for factor in factors])
    value = pd.to_numeric(runs[metric.name]).astype(float)
    is_counted = (runs["status"] == "completed") & np.isfinite(value)
    names = [
        " ".join(f"{f.name}={level}" for f, level in zip(factors, row, strict=True)) or ONLY
        for row in levels.itertuples(index=False)
    ]
    frame = runs.drop(columns=levels.columns).join(levels)
    frame = frame.assign(configuration=names, value=value, is_counted=is_counted)
    counted = frame[is_counted].sort_values("finished_at", kind="stable")
    superseded = counted.index[counted.duplicated(["configuration", "seed"], keep="last")]
    frame.loc[superseded, "is_counted"] = False
    return ConfiguredRuns(frame, list(superseded))


def summarize(
    configured: ConfiguredRuns, factors: Sequence[Factor], metric: Metric
) -> pd.DataFrame:
    """A row per configuration, the best mean first.

    n, mean, sd, ci_low and ci_high (95 %, Student's t; NaN at n = 1), best; means of test accuracy,
    train seconds and PFLOP; parameters; the numbers of runs that do not count.
    """
    by_name = configured.runs.groupby("configuration", sort=False)
    rows = [_summary_row(str(name), runs, factors, metric) for name, runs in by_name]
    table = pd.DataFrame(rows, columns=None if rows else ["configuration", "n", "mean"])
    order = (-metric.sign * table["mean"]).argsort(kind="stable")  # NaN goes last
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "rank", np.where(table["n"] > 0, table.index + 1, 0))
    return table


def _summary_row(
    name: str, runs: pd.DataFrame, factors: Sequence[Factor], metric: Metric
) -> dict[str, object]:
    counted = runs[runs["is_counted"]]
    values = counted["value"].to_numpy()
    low, high = mean_interval(values)
    tests = counted["test_accuracy"].astype(float)
    best = values.max(initial=-np.inf) if metric.is_higher_better else values.min(initial=np.inf)
    return {
        "configuration": name,
        **{factor.key: runs[factor.key].iloc[0] for factor in factors},
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
        "not_counted": len(runs) - len(values),
        "diverged": int((runs["status"] == "diverged").sum()),
        "failed": int((runs["status"] == "failed").sum()),
    }


def residuals(counted: pd.DataFrame) -> pd.DataFrame:
    """A row per run of a configuration with at least two seeds.

    configuration; residual: the run's value minus the configuration's mean.
    """
    values = counted.groupby("configuration")["value"]
    table = counted[["configuration"]].assign(residual=counted["value"] - values.transform("mean"))
    return table[values.transform("size") > 1]


def seed_noise(counted: pd.DataFrame) -> tuple[float, int]:
    """SD between seeds of a configuration, pooled over all, and its degrees of freedom."""
    table = residuals(counted)
    df = len(table) - table["configuration"].nunique()
    return (float((table["residual"] ** 2).sum() / df) ** 0.5 if df else float("nan")), df
