"""Runs that a pruner paused: what of a sweep they are, and what their absence does to the rest."""

from dataclasses import dataclass

import pandas as pd

from cifar_exp.analysis.statistics.factors import Factor, parse_number

PAUSED = "pruned"  # the status


@dataclass(frozen=True)
class Paused:
    """The paused runs of a group, which enter no mean.

    `runs`: those of `GroupStatistics.runs`. `configurations`: names of those that no run counts
    of. `incomplete`: names of those that have a mean from which a paused seed is missing; since
    seeds are paused for being behind, such a mean is flattered.
    """

    runs: pd.DataFrame
    configurations: tuple[str, ...]
    incomplete: tuple[str, ...]

    @property
    def epochs(self) -> "pd.Series[int]":
        """The number of runs that were paused after each epoch, the earliest first."""
        return self.runs["epochs_done"].value_counts().sort_index()


def paused_runs(runs: pd.DataFrame) -> Paused:
    """`runs`: all of a group, with configuration, status, is_counted and epochs_done."""
    own = runs[runs["status"] == PAUSED]
    counted = set(runs.loc[runs["is_counted"], "configuration"])
    names = [str(name) for name in own["configuration"].drop_duplicates()]
    return Paused(
        own,
        tuple(name for name in names if name not in counted),
        tuple(name for name in names if name in counted),
    )


def is_beyond(runs: pd.DataFrame, factor: Factor, level: str, *, is_upper: bool) -> bool:
    """Whether any of these runs has a higher (or lower) value of a numeric factor than `level`."""
    limit = parse_number(level)
    if limit is None:
        return False
    values = [parse_number(str(value)) for value in runs[factor.key].unique()]
    known = [value for value in values if value is not None]
    return any(value > limit if is_upper else value < limit for value in known)
