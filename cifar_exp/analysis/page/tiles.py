"""The few numbers at the top of a group: the best, what a setting is worth, noise, runs."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.run_state import STATUSES
from cifar_exp.text import counted

LONG_NAME = 40  # characters; a longer name stands in the headline only


def tiles(statistics: GroupStatistics) -> list[dict[str, str]]:
    """`value`, `unit`, and `text` that says what it is the value of."""
    return [*_best(statistics), *_ranges(statistics), *_noise(statistics), _runs(statistics)]


def counts(statistics: GroupStatistics) -> dict[str, int]:
    """The number of runs by status, with the sweep's pending runs."""
    found = Counter(statistics.runs["status"])
    found["pending"] = len(statistics.group.pending)
    return {status: found[status] for status in STATUSES if found[status]}


def _tile(value: str, unit: str, text: str) -> dict[str, str]:
    return {"value": value, "unit": unit, "text": text}


def _best(statistics: GroupStatistics) -> Iterator[dict[str, str]]:
    if not len(statistics.evaluated):
        return
    row, metric = statistics.summary.iloc[0], statistics.metric
    value = f"{row['mean'] * metric.scale:.{metric.digits}f}"
    seeds = counted(int(row["n"]), "seed")
    configurations = len(statistics.evaluated)
    name = f"{row['configuration']}, " if len(row["configuration"]) <= LONG_NAME else ""
    what = f"{name}best of {configurations}" if configurations > 1 else "mean"
    yield _tile(value, metric.unit, f"{metric.label}: {what} ({seeds})")


def _ranges(statistics: GroupStatistics) -> Iterator[dict[str, str]]:
    """The largest difference between the means of two levels of the most important factor that has
    a main effect.
    """
    metric, effects = statistics.metric, statistics.effects
    for factor in statistics.by_importance:
        own = effects[effects["setting"] == factor.key]
        if len(own) and np.isfinite(own["mean"]).all():
            means = {own["reference"].iloc[0]: 0.0}
            means |= dict(zip(own["level"], own["mean"], strict=True))
            ordered = sorted(means, key=lambda level: -metric.sign * means[level])
            size = abs(means[ordered[0]] - means[ordered[-1]]) * metric.scale
            text = f"{factor.name} {ordered[0]} against {ordered[-1]}"
            yield _tile(f"{size:.{metric.digits}f}", metric.difference_unit, text)
            return


def _noise(statistics: GroupStatistics) -> Iterator[dict[str, str]]:
    sd, df = statistics.noise
    if df and np.isfinite(sd):
        value = f"{sd * statistics.metric.scale:.{statistics.metric.digits}f}"
        yield _tile(value, statistics.metric.difference_unit, "standard deviation between seeds")


def _runs(statistics: GroupStatistics) -> dict[str, str]:
    found = counts(statistics)
    done = found.pop("completed", 0)
    others = ", ".join(f"{n} {status}" for status, n in found.items())
    text = "runs completed" if done != 1 else "run completed"
    return _tile(f"{done:,}", "", f"{text}; {others}" if others else text)
