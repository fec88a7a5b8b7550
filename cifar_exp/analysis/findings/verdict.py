"""A difference, its interval and its verdict as a clause."""

import numpy as np
import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.words import interval, worth_text
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics


def compared(claim: str, text: str, row: pd.Series, level: str | None = None) -> Finding:
    """A finding with the numbers of a row of a table of differences."""
    return Finding(
        claim,
        text,
        setting=row.get("setting"),
        level=row.get("level", level),
        reference=row["reference"],
        difference=float(row["mean"]),
        low=None if np.isnan(row["low"]) else float(row["low"]),
        high=None if np.isnan(row["high"]) else float(row["high"]),
        verdict=str(row["verdict"]),
    )


def verdict_text(statistics: GroupStatistics, row: pd.Series) -> str:
    """`+20.07 pp, 95 % interval [19.30, 20.85]`, with what follows from it."""
    metric = statistics.metric
    difference = metric.difference_text(row["mean"])
    if np.isnan(row["low"]):
        return f"{difference}, without an estimate of the noise"
    text = f"{difference}, {interval(metric, row['low'], row['high'])}"
    return f"{text}: {_meaning(statistics, row)}"


def _meaning(statistics: GroupStatistics, row: pd.Series) -> str:
    metric, worth = statistics.metric, statistics.worth or 0.0
    size = worth_text(statistics)
    smallest = min(abs(row["low"]), abs(row["high"]))
    largest = max(abs(row["low"]), abs(row["high"]))
    if row["verdict"] in ("better", "worse"):
        if statistics.worth is None:
            return f"significantly {row['verdict']}"
        if smallest >= worth:
            return f"{row['verdict']} by at least {size}"
        if largest <= worth:
            return f"{row['verdict']}, but by less than {size}"
        return f"significantly {row['verdict']}, perhaps by less than {size}"
    if row["verdict"] == "equivalent":
        return f"no difference of {size} or more"
    low, high = metric.difference_text(row["low"]), metric.difference_text(row["high"])
    return f"not significant; anything from {low} to {high} is possible"
