"""Runs that failed, diverged or collapsed, in words."""

from collections.abc import Iterator

import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.completion import failing_ends, leader_without
from cifar_exp.analysis.statistics.factors import ABSENT
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.surrogate import MOST_LEVELS
from cifar_exp.text import counted as number_of

MOST_SENTENCES = 3


def completion_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """Levels that never completed, else where failures gather; then collapsed runs."""
    if not len(statistics.counted):
        yield from _none_completed(statistics)
    else:
        found = [*_never_completed(statistics), *_failing_ends(statistics)]
        yield from found[:MOST_SENTENCES] if found else _gathered(statistics.completion)
    yield from _collapsed(statistics)


def completion_note(statistics: GroupStatistics, configuration: str) -> str:
    """`3 of its 6 runs diverged`, to follow the configuration's name; empty if all completed."""
    runs = statistics.runs[statistics.runs["configuration"] == configuration]
    counts = runs["status"].value_counts()
    total = sum(int(counts.get(status, 0)) for status in ("completed", "failed", "diverged"))
    failed, diverged = (int(counts.get(status, 0)) for status in ("failed", "diverged"))
    if not failed + diverged:
        return ""
    if failed and diverged:
        return f"{failed} of its {number_of(total, 'run')} failed and {diverged} diverged"
    return f"{failed + diverged} of its {number_of(total, 'run')} {_verb(failed, diverged)}"


def _none_completed(statistics: GroupStatistics) -> Iterator[Finding]:
    counts = statistics.runs["status"].value_counts()
    failed, diverged = (int(counts.get(status, 0)) for status in ("failed", "diverged"))
    paused = len(statistics.paused.runs)
    parts = [f"{number_of(paused, 'run')} {'was' if paused == 1 else 'were'} paused"] * (paused > 0)
    if failed + diverged:
        parts.append(f"{number_of(failed + diverged, 'run')} {_verb(failed, diverged)}")
    if parts:
        yield Finding("completion", f"{listed(parts)}, and none completed.")


def _never_completed(statistics: GroupStatistics) -> Iterator[Finding]:
    table = statistics.completion
    is_few = table.groupby("setting")["level"].transform("size") <= MOST_LEVELS
    is_named = is_few & (table["runs"] >= 2) & (table["level"] != ABSENT)
    is_dead = table["completed"] + table["pruned"] == 0
    for row in table[is_named & is_dead].to_dict("records"):
        how = _verb(row["failed"], row["diverged"])
        text = f"{_all(row['runs'])} runs with {row['name']}={row['level']} {how}."
        yield Finding("completion", text, setting=row["setting"], level=row["level"])


def _failing_ends(statistics: GroupStatistics) -> Iterator[Finding]:
    for row in failing_ends(statistics.completion, statistics.factors).to_dict("records"):
        side = "or more" if row["is_upper"] else "or less"
        how = _verb(row["failed"], row["diverged"])
        text = f"{_all(row['runs'])} runs with {row['name']} of {row['level']} {side} {how}."
        yield Finding("completion", text, setting=row["setting"], level=row["level"])


def _gathered(table: pd.DataFrame) -> Iterator[Finding]:
    """All failures at one level, the one with the fewest runs if several settings show them."""
    table = table.assign(lost=table["failed"] + table["diverged"])
    totals = table.groupby("setting")["lost"].transform("sum")
    sizes = table.groupby("setting")["runs"].transform("sum")
    own = table[(table["lost"] >= 2) & (table["lost"] == totals) & (table["runs"] < sizes)]
    if not len(own):
        return
    row = own.loc[own["runs"].idxmin()]
    how = _verb(row["failed"], row["diverged"])
    text = (
        f"{row['lost']} of {row['runs']} runs with {row['name']}={row['level']} {how}, and none "
        f"with any other {row['name']}."
    )
    yield Finding("completion", text, setting=str(row["setting"]), level=str(row["level"]))


def _collapsed(statistics: GroupStatistics) -> Iterator[Finding]:
    runs = statistics.collapsed
    if not len(runs):
        return
    metric = statistics.metric
    parts = [
        f"{row['configuration']} with seed {row['seed']} ended at {metric.text(row['value'])} (its "
        f"other seeds at {metric.text(row['others'])})"
        for row in runs.head(MOST_SENTENCES).to_dict("records")
    ]
    more = len(runs) - len(parts)
    rest = [f"{more} more ended as far from their other seeds"] if more else []
    leader = leader_without(statistics.counted, list(runs.index), metric.sign)
    changed = leader is not None and leader != statistics.best
    runs_are = "that run" if len(runs) == 1 else "those runs"
    end = f"{leader} would lead" if changed else "the best stays the same"
    yield Finding("completion", f"{listed([*parts, *rest])}; without {runs_are}, {end}.")


def _all(runs: int) -> str:
    return "Both" if runs == 2 else f"All {runs}"


def _verb(failed: int, diverged: int) -> str:
    if failed and diverged:
        return "failed or diverged"
    return "failed" if failed else "diverged"
