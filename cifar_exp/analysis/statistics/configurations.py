"""Group runs that differ only in the seed into configurations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import Factor, level_frame
from cifar_exp.analysis.statistics.intervals import mean_intervals
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.model import CellModel

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
    runs: pd.DataFrame,
    factors: Sequence[Factor],
    metric: Metric,
    given: Mapping[str, str] = MappingProxyType({}),
) -> ConfiguredRuns:
    """Name each run's configuration, and mark what counts: completed runs with a finite value.

    `given`: by run id, the names of configurations that have one already.
    """
    levels = level_frame(runs, [factor.key for factor in factors])
    value = pd.to_numeric(runs[metric.name]).astype(float)
    is_counted = (runs["status"] == "completed") & np.isfinite(value)
    names = [
        " ".join(f"{f.name}={level}" for f, level in zip(factors, row, strict=True)) or ONLY
        for row in levels.itertuples(index=False)
    ]
    names = [given.get(str(run_id), name) for run_id, name in zip(runs.index, names, strict=True)]
    frame = runs.drop(columns=levels.columns).join(levels)
    frame = frame.assign(configuration=names, value=value, is_counted=is_counted)
    counted = frame[is_counted].sort_values("finished_at", kind="stable")
    superseded = counted.index[counted.duplicated(["configuration", "seed"], keep="last")]
    frame.loc[superseded, "is_counted"] = False
    return ConfiguredRuns(frame, list(superseded))


def summarize(
    configured: ConfiguredRuns, factors: Sequence[Factor], metric: Metric, model: CellModel | None
) -> pd.DataFrame:
    """A row per configuration, the best mean first; `model` is that of the counted runs, if any.

    n, mean, sd, ci_low and ci_high (see `mean_intervals`), best; means of test accuracy, train
    seconds and PFLOP; parameters; the numbers of runs that do not count.
    """
    runs, counted = configured.runs, configured.counted
    table = runs.drop_duplicates("configuration").set_index("configuration")[
        [factor.key for factor in factors]
    ]
    table = table.join(_means(counted, metric, model)).fillna({"n": 0}).astype({"n": int})
    by_name = runs["configuration"]
    table["not_counted"] = by_name.value_counts() - table["n"]
    for status in ("diverged", "failed", "pruned"):
        table[status] = (runs["status"] == status).groupby(by_name).sum()
    table = table.reset_index()
    order = (-metric.sign * table["mean"]).argsort(kind="stable")  # NaN goes last
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "rank", np.where(table["n"] > 0, table.index + 1, 0))
    return table


def _means(counted: pd.DataFrame, metric: Metric, model: CellModel | None) -> pd.DataFrame:
    """n, the mean and its interval, and means of the other results, by configuration."""
    numbers = ["test_accuracy", "train_seconds", "pflop"]
    runs = counted.astype(dict.fromkeys(numbers, float)).groupby("configuration", sort=False)
    table = runs.agg(
        n=("value", "size"),
        mean=("value", "mean"),
        sd=("value", "std"),
        ci_low=("value", "mean"),
        ci_high=("value", "mean"),
        best=("value", "max" if metric.is_higher_better else "min"),
        test_mean=("test_accuracy", "mean"),
        test_sd=("test_accuracy", "std"),
        train_seconds=("train_seconds", "mean"),
        pflop=("pflop", "mean"),
        parameters=("parameters", "max"),
    )
    if model is None:
        return table
    low, high = mean_intervals(model, metric)
    fitted = {"mean": model.means, "ci_low": low, "ci_high": high}
    return table.assign(**pd.DataFrame(fitted, index=model.names))


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
