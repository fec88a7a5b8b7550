"""The page's table of what was selected on some seeds and confirmed on others, as plain text."""

from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.text import counted


def confirmation_context(statistics: GroupStatistics) -> dict[str, Any] | None:
    """A row of cells per configuration under `columns`, with a `note`; None if there is none."""
    confirmation, metric = statistics.confirmation, statistics.metric
    if confirmation is None:
        return None
    return {
        "note": f"{confirmation.origin} selected the best of its "
        f"{counted(confirmation.configurations, 'configuration')}; {confirmation.confirming} "
        "trained them on fresh seeds. No run enters both means.",
        "columns": [
            "configuration",
            f"mean when selected ({metric.unit})",
            "seeds",
            f"mean on fresh seeds ({metric.unit})",
            "95 % interval",
            "fresh seeds",
            f"change ({metric.difference_unit})",
        ],
        "rows": [_cells(metric, row) for _, row in confirmation.table.iterrows()],
    }


def _cells(metric: Metric, row: pd.Series) -> list[str]:
    n, asked = int(row["n"]), int(row["asked"])
    role = "baseline" if row["is_baseline"] else f"rank {row['rank']}"
    return [
        f"{row['configuration']} ({role})",
        _value(metric, row["selected_mean"]),
        str(row["selected_n"]),
        _value(metric, row["mean"]),
        metric.interval_text(row["ci_low"], row["ci_high"]),
        str(n) if n == asked else f"{n} of {asked}",
        _value(metric, row["shrinkage"], "+"),
    ]


def _value(metric: Metric, value: float, sign: str = "") -> str:
    return "" if np.isnan(value) else f"{value * metric.scale:{sign}.{metric.digits}f}"
