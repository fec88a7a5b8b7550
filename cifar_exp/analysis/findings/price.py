"""What effects are worth in compute, in words."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.words import capital, listed
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

MOST_PRICES = 2
SMALLEST = 1.05  # times the compute; less is not worth a sentence
TEN = 10.0


def price_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """`Dropout 0 instead of 0.2 is worth 2.1 times the compute`, with the ladder it rests on."""
    table = statistics.prices
    named = table[table["ratio"] >= SMALLEST].head(MOST_PRICES)
    for row in named.to_dict("records"):
        own = pd.Series(row)
        yield Finding(
            "price",
            _sentence(own),
            setting=str(own["setting"]),
            level=str(own["level"]),
            reference=str(own["reference"]),
        )


def _sentence(row: pd.Series) -> str:
    subject = capital(str(row["name"]))
    interval = ""
    if not np.isnan(row["low"]) and not np.isnan(row["high"]):
        interval = f" (95 % interval {_times(row['low'])} to {_times(row['high'])})"
    is_dearer = row["cost"] >= SMALLEST
    cost = f", and itself costs {_times(row['cost'])} times" if is_dearer else ""
    return (
        f"{subject} {row['level']} instead of {row['reference']} is worth {_times(row['ratio'])} "
        f"times the compute{interval}, where compute buys {row['ladder']} from "
        f"{row['lowest']} to {row['highest']} (measured at "
        f"{listed([str(rung) for rung in row['rungs']])}){cost}."
    )


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < TEN else f"{ratio:.0f}"
