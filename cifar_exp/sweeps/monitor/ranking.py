"""Which configuration of a sweep did best: the ranking at its end, and the best so far."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.snapshot import Snapshot
from cifar_exp.text import aligned, percent

SEED = "seed"
ON_TEST = "test (not for choosing)"
MOST_CONFIGURATIONS, MOST_RUNS = 20, 5  # lines


@dataclass(frozen=True)
class Ranked:
    """A configuration with the mean of its `n` completed runs; `values` are its swept settings.

    `scatter` is the sum of their squared deviations from it. `low` and `high` bound the 95 %
    interval of the mean; None where it is not known. `test` is the mean on test; None where the
    runs are ranked by it. `failed` counts the runs that failed or diverged.
    """

    values: Mapping[str, str]
    n: int
    mean: float
    scatter: float = 0.0
    low: float | None = None
    high: float | None = None
    test: float | None = None
    failed: int = 0

    @property
    def name(self) -> str:
        """`width=16 dropout=0.2`."""
        return short_values(self.values)

    @property
    def result(self) -> str:
        """`63.59 % (width=16 dropout=0.2, 3 seeds)`."""
        seeds = "one seed" if self.n == 1 else f"mean of {self.n} seeds"
        return f"{percent(self.mean)} ({', '.join(part for part in (self.name, seeds) if part)})"


def short_values(values: Mapping[str, str]) -> str:
    """`width=16 dropout=0.2 seed=0`."""
    return " ".join(f"{short}={values[key]}" for key, short in short_keys(values).items())


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """By key, its last part, unless two keys share that."""
    last = {key: key.rpartition(".")[2] for key in keys}
    number = Counter(last.values())
    return {key: short if number[short] == 1 else key for key, short in last.items()}


def ranked(snapshot: Snapshot) -> list[Ranked]:
    """The configurations with a completed run, by their mean, the best first; without intervals."""
    found: dict[tuple[tuple[str, str], ...], list[SweepRow]] = {}
    for row in snapshot.rows:
        values = tuple((key, value) for key, value in row.values.items() if key != SEED)
        found.setdefault(values, []).append(row)
    all_ranked = [_ranked(snapshot, dict(values), rows) for values, rows in found.items()]
    return sorted((each for each in all_ranked if each.n), key=lambda each: -each.mean)


def _ranked(snapshot: Snapshot, values: Mapping[str, str], rows: Sequence[SweepRow]) -> Ranked:
    metrics, tests, failed = [], [], 0
    for row in rows:
        state = snapshot.states[row.run_id]
        failed += state.status in ("failed", "diverged")
        metric = snapshot.metric(row)
        if state.status == "completed" and state.record is not None and metric is not None:
            metrics.append(metric)
            test = state.record.test
            tests += [test.accuracy] if test is not None and _has_val(state) else []
    mean = fmean(metrics) if metrics else math.nan
    return Ranked(
        values,
        len(metrics),
        mean,
        scatter=sum((metric - mean) ** 2 for metric in metrics),
        test=fmean(tests) if tests else None,
        failed=failed,
    )


def _has_val(state: RunState) -> bool:
    selected = state.record.selected if state.record else None
    return selected is not None and selected.val_accuracy is not None


def with_intervals(configurations: Sequence[Ranked]) -> list[Ranked]:
    """The same with 95 % intervals (Student's t), from the scatter pooled over all of them."""
    df = sum(each.n - 1 for each in configurations)
    if df == 0:
        return list(configurations)
    from scipy.special import stdtrit  # a tenth of a second that a live table does without

    variance = sum(each.scatter for each in configurations) / df
    t = float(stdtrit(df, 0.975))

    def bounded(each: Ranked) -> Ranked:
        half = t * math.sqrt(variance / each.n)
        return replace(each, low=max(0.0, each.mean - half), high=min(1.0, each.mean + half))

    return [bounded(each) for each in configurations]


def result_lines(snapshot: Snapshot, table: Path) -> Iterator[str]:
    """The ranking of configurations, then the best runs; `table` is the file with all runs."""
    if snapshot.ranked:
        configurations = with_intervals(ranked(snapshot))
        yield from ranking_lines(configurations, table, _metric(snapshot))
        yield from run_lines(snapshot, table)


def ranking_lines(
    configurations: Sequence[Ranked], table: Path, metric: str = "val"
) -> Iterator[str]:
    """A line for each of the best configurations, under their settings; equal means share a rank.

    `table` is the file with the others, `metric` the heading of the means.
    """
    columns = _columns(configurations, metric)
    shown = configurations[:MOST_CONFIGURATIONS]
    ranks = _ranks([each.mean for each in shown])
    rows = [
        [str(rank), *(cell(each) for cell in columns.values())]
        for rank, each in zip(ranks, shown, strict=True)
    ]
    yield from aligned([["rank", *columns], *rows])
    if len(shown) < len(configurations):
        yield f"      and {len(configurations) - len(shown)} more in {table}"


def _columns(configurations: Sequence[Ranked], metric: str) -> dict[str, Callable[[Ranked], str]]:
    """What a line says, by its heading; nothing that is known of no configuration."""
    keys = dict.fromkeys(key for each in configurations for key in each.values)
    columns: dict[str, Callable[[Ranked], str]] = {
        short: partial(_value, key) for key, short in short_keys(keys).items()
    }
    columns["n"] = lambda each: str(each.n)
    columns[metric] = lambda each: percent(each.mean)
    if any(each.low is not None for each in configurations):
        columns["95 % interval"] = _interval
    if any(each.test is not None for each in configurations):
        columns["test"] = lambda each: percent(each.test)
    if any(each.failed for each in configurations):
        columns["failed"] = lambda each: str(each.failed)
    return columns


def _value(key: str, each: Ranked) -> str:
    return each.values.get(key, "")


def _interval(each: Ranked) -> str:
    if each.low is None or each.high is None:
        return ""
    return f"[{100 * each.low:.2f}, {100 * each.high:.2f}]"


def run_lines(snapshot: Snapshot, table: Path) -> Iterator[str]:
    """The best runs, each of a single seed, whose order is partly luck."""
    every = snapshot.ranked
    shown = every[:MOST_RUNS]
    ranks = _ranks([snapshot.metric(row) for row in shown])
    rows = [
        [
            str(rank),
            short_values(row.values),
            percent(snapshot.metric(row)),
            snapshot.states[row.run_id].name,
        ]
        for rank, row in zip(ranks, shown, strict=True)
    ]
    yield from aligned([["rank", "run", _metric(snapshot), "folder"], *rows])
    if len(shown) < len(every):
        yield f"      and {len(every) - len(shown)} more in {table}"


def _metric(snapshot: Snapshot) -> str:
    """What runs are ranked by, as a heading."""
    return "val" if any(map(_has_val, snapshot.states.values())) else ON_TEST


def _ranks(metrics: Sequence[float | None]) -> list[int]:
    """The ranks of metrics that are sorted; equal ones share theirs."""
    return [metrics.index(metric) + 1 for metric in metrics]
