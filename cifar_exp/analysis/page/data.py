"""What the page's scripts draw tables and charts from: one JSON object per comparison group."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.runs import LoadedRuns
from cifar_exp.analysis.page.curves import pack_curves
from cifar_exp.analysis.page.run_details import run_details
from cifar_exp.analysis.page.trends import trend_data
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance

MOST_RUNS = 2000  # that the page shows; runs.csv has all
CONTRAST = ("name", "level", "reference", "averaged_over")
MOST_SERIES = 3  # that have a dash of their own
DIGITS = 9  # significant digits of a stored value


def group_data(
    statistics: GroupStatistics, shown: pd.DataFrame, loaded: LoadedRuns, progress: pd.DataFrame
) -> dict[str, Any]:
    """The object of one group, as js/data.js describes it. All values are as stored (fractions,
    seconds, PFLOP), null where there is none; texts are not escaped. `progress`: as `all_progress`
    gives it.
    """
    metric, factors = statistics.metric, _factors(statistics)
    return {
        "slug": statistics.group.slug,
        "title": statistics.group.title,
        "metric": {
            "name": metric.name,
            "label": metric.label,
            "unit": metric.unit,
            "differenceUnit": metric.difference_unit,
            "scale": metric.scale,
            "digits": metric.digits,
            "higher": metric.is_higher_better,
        },
        "factors": factors,
        "configurations": _configurations(statistics),
        "runs": _runs(statistics, shown),
        "details": run_details(statistics, shown),
        "curves": pack_curves(loaded.history, list(shown.index)),
        "comparisons": _differences(statistics.comparisons, ("configuration", "reference")),
        "effects": _differences(statistics.effects, CONTRAST),
        "importance": _importance(statistics),
        "interactions": _differences(
            statistics.interactions,
            (*CONTRAST, "other_name", "other_level", "other_reference"),
        ),
        "model": _model(statistics),
        "progress": _other_progress(statistics, progress),
        "trends": trend_data(statistics, [factor["key"] for factor in factors]),
        "worth": statistics.worth,
    }


def shown_runs(statistics: GroupStatistics) -> pd.DataFrame:
    """The best runs first, then those that did not complete; no more than a page can show."""
    is_done = statistics.runs["status"] == "completed"
    order = (-statistics.metric.sign * statistics.runs["value"].where(is_done)).argsort(
        kind="stable"
    )
    ordered, is_done = statistics.runs.iloc[order], is_done.iloc[order]
    bad = ordered[~is_done].head(MOST_RUNS // 2)
    return pd.concat([ordered[is_done].head(MOST_RUNS - len(bad)), bad])


def _factors(statistics: GroupStatistics) -> list[dict[str, Any]]:
    """By importance; then those that vary only among runs that do not count."""
    first = statistics.by_importance
    factors = [*first, *(f for f in statistics.factors if f not in first)]
    return [
        {"key": f.key, "name": f.name, "numeric": f.is_numeric, "levels": list(f.levels)}
        for f in factors
    ]


def _configurations(statistics: GroupStatistics) -> list[dict[str, Any]]:
    """In the order of the summary: the best first."""
    table = statistics.summary
    if not len(table):
        return []
    factors = [
        (f["key"], {level: i for i, level in enumerate(f["levels"])}) for f in _factors(statistics)
    ]
    columns = {
        "name": table["configuration"].tolist(),
        "levels": [
            list(each)
            for each in zip(*(table[key].map(index) for key, index in factors), strict=True)
        ]
        or [[] for _ in range(len(table))],
        "rank": table["rank"].tolist(),
        "n": table["n"].tolist(),
        "mean": numbers(table["mean"]),
        "low": numbers(table["ci_low"]),
        "high": numbers(table["ci_high"]),
        "sd": numbers(table["sd"]),
        "test": numbers(table["test_mean"]),
        "seconds": numbers(table["train_seconds"]),
        "pflop": numbers(table["pflop"]),
        "parameters": numbers(table["parameters"]),
        "failed": table["failed"].tolist(),
        "diverged": table["diverged"].tolist(),
        "paused": table["pruned"].tolist(),
        "notCounted": table["not_counted"].tolist(),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _runs(statistics: GroupStatistics, shown: pd.DataFrame) -> dict[str, list[Any]]:
    """`value` is null for a run that does not count, whatever `val` it got to."""
    names = statistics.summary["configuration"] if len(statistics.summary) else pd.Series([])
    return {
        "id": list(shown.index),
        "name": shown["run"].tolist(),
        "status": shown["status"].tolist(),
        "seed": shown["seed"].tolist(),
        "configuration": pd.Index(names).get_indexer(shown["configuration"]).tolist(),
        "value": numbers(shown["value"].where(shown["is_counted"])),
        "val": numbers(shown["val_accuracy"]),
        "test": numbers(shown["test_accuracy"]),
        "epochs": shown["epochs_done"].tolist(),
        "planned": numbers(shown["epochs"]),
        "seconds": numbers(shown["train_seconds"]),
        "pflop": numbers(shown["pflop"]),
        "finished": [text if isinstance(text, str) else "" for text in shown["finished_at"]],
    }


def _differences(table: pd.DataFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    if not len(table):
        return []
    columns = {name: table[name].tolist() for name in names if name in table}
    columns |= {name: numbers(table[name]) for name in ("mean", "low", "high", "p")}
    columns["verdict"] = table["verdict"].tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _importance(statistics: GroupStatistics) -> dict[str, Any]:
    """Without terms if the importance is unknown, or if only one factor varies."""
    found = statistics.importance
    if not isinstance(found, Importance) or found.terms["order"].eq(1).sum() < 2:
        return {"terms": [], "method": ""}
    ranges, shares = numbers(found.terms["range"]), numbers(found.terms["share"])
    rows = zip(found.terms["term"], ranges, shares, strict=True)
    terms = [{"term": term, "range": size, "share": share} for term, size, share in rows]
    return {"terms": terms, "method": found.method}


def _other_progress(statistics: GroupStatistics, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The best so far of the other sweeps; its own is drawn from its runs."""
    others = table[table["series"] != statistics.group.title]
    return [
        {"name": name, "compute": numbers(own["compute"]), "best": numbers(own["best"])}
        for name, own in others.groupby("series", sort=False)
    ][:MOST_SERIES]


def _model(statistics: GroupStatistics) -> dict[str, float | None]:
    """The half-width of the interval of the difference of two configurations with a and b seeds is
    critical * sd * sqrt(1 / a + 1 / b).
    """
    sd, df = statistics.noise
    critical = statistics.pair_critical
    return {"sd": number(sd), "df": df, "critical": number(critical)}


def number(value: float) -> float | None:
    """The value with DIGITS significant digits; None if it is not finite."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def numbers(column: pd.Series) -> list[float | None]:
    """Each value as `number` gives it."""
    return [number(value) for value in np.asarray(column, dtype=float)]
