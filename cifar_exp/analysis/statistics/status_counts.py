"""How many runs completed, failed or diverged, by the value of each factor."""

from collections.abc import Sequence

import pandas as pd

from cifar_exp.analysis.statistics.factors import Factor, shorten
from cifar_exp.analysis.statistics.slices import neighbors

MOST_LEVELS = 6  # more are put together with their neighbors
DIGITS = 3


def status_by_level(runs: pd.DataFrame, factors: Sequence[Factor]) -> pd.DataFrame:
    """A row per factor and level (or bin of neighboring values): name, level, runs, and statuses.

    The factor whose levels differ most in their share of completed runs comes first.
    """
    tables = [_of_factor(runs, factor) for factor in factors if runs[factor.key].nunique() > 1]
    if not tables:
        return pd.DataFrame(columns=["name", "level", "runs"])
    tables.sort(key=_least_spread, reverse=True)
    return pd.concat(tables, ignore_index=True).fillna(0)


def _of_factor(runs: pd.DataFrame, factor: Factor) -> pd.DataFrame:
    bins = neighbors(runs[factor.key], factor, MOST_LEVELS)
    rows = []
    for _, own in runs.groupby(bins, sort=True):
        levels = sorted(set(own[factor.key]), key=factor.levels.index)
        ends = [shorten(level, DIGITS) for level in (levels[0], levels[-1])]
        label = " to ".join(dict.fromkeys(ends))
        rows.append(
            {"name": factor.name, "level": label, "runs": len(own), **own["status"].value_counts()}
        )
    return pd.DataFrame(rows)


def _least_spread(table: pd.DataFrame) -> float:
    completed = table.get("completed", pd.Series(0, index=table.index)).fillna(0) / table["runs"]
    return float(completed.max() - completed.min())
