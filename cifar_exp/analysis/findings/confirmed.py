"""How the configurations that a sweep selected do on fresh seeds, and when to train on some."""

import shlex
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.words import interval
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.text import counted

TOP = 3  # the default of confirm.top


def confirmed_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """Each confirmed configuration: its mean on fresh seeds, and on those that selected it."""
    confirmation = statistics.confirmation
    if confirmation is None:
        return
    for _, row in confirmation.table.iterrows():
        shrinkage = float(row["shrinkage"])
        yield Finding(
            "confirmed",
            _sentence(statistics.metric, row),
            level=str(row["configuration"]),
            difference=None if np.isnan(shrinkage) else shrinkage,
        )


def confirmed_headline(statistics: GroupStatistics) -> str | None:
    """The best on fresh seeds with both of its means; None if nothing is confirmed."""
    confirmation, metric = statistics.confirmation, statistics.metric
    if confirmation is None or confirmation.table["mean"].isna().all():
        return None
    table = confirmation.table
    row = table.loc[(table["mean"] * metric.sign).idxmax()]
    seeds = counted(int(row["n"]), "fresh seed")
    return (
        f"On {seeds}, {row['configuration']}: {metric.text(row['mean'])} ({_before(metric, row)})."
    )


def confirm_hint(statistics: GroupStatistics) -> str | None:
    """The command that confirms the best of a search with one seed each; None if it is not one."""
    sweep, number = statistics.group.sweep, len(statistics.evaluated)
    if sweep is None or sweep.confirmation is not None or statistics.seeds != 1 or number < 2:
        return None
    if set(statistics.group.run_ids) | set(sweep.pending) != set(sweep.run_ids):
        return None  # several comparison groups, which cannot be ranked together
    command = f"python -m cifar_exp.train confirm.sweep={shlex.quote(str(sweep.folder))}"
    which = f"the best {TOP}" if number > TOP else "them"
    tried = number + len(statistics.paused.configurations)
    return (
        f"The best was selected from {tried} configurations on one seed each, so its lead is "
        f"flattered; `{command}` trains {which} on fresh seeds."
    )


def _sentence(metric: Metric, row: pd.Series) -> str:
    name, n, asked = row["configuration"], int(row["n"]), int(row["asked"])
    ended = [f"{row[how]} {how}" for how in ("diverged", "failed") if row[how]]
    endings = f"; {' and '.join(ended)}" if ended else ""
    before = _before(metric, row)
    if not n:
        number = counted(asked, "fresh seed")
        return f"Not confirmed yet: {name}, {before}; none of {number} has completed{endings}."
    number = f"{n} of {counted(asked, 'fresh seed')}" if n < asked else counted(n, "fresh seed")
    bounds = interval(metric, row["ci_low"], row["ci_high"]) or "no interval"
    return (
        f"Confirmed on {number}: {name}, {metric.text(row['mean'])}, {bounds} ({before}){endings}."
    )


def _before(metric: Metric, row: pd.Series) -> str:
    """`63.60 % on the 3 seeds that selected it`."""
    number = int(row["selected_n"])
    seeds = counted(number, "seed") if number > 1 else "one seed"
    which = "of the sweep" if row["is_baseline"] else "that selected it"
    if np.isnan(row["selected_mean"]):
        return f"the runs with the {seeds} {which} are gone"
    return f"{metric.text(row['selected_mean'])} on the {seeds} {which}"
