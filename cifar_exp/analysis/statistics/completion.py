"""Which runs did not complete, and which completed far from the others of their configuration."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.surrogate import MOST_LEVELS, present_levels

ENDED = ("completed", "failed", "diverged", "pruned")
FAR = 5.0  # robust SDs between seeds
ISOLATED = 2.0  # times the range of a configuration's other runs
FEWEST_PAIRS = 4  # of runs of one configuration, for a robust SD
RARE = 0.05  # share of the runs; if more are far, the scatter is uneven and none has collapsed
NORMAL_MEDIAN = 0.6745  # of the absolute value of a standard normal variable


def completion_by_level(runs: pd.DataFrame, factors: Sequence[Factor]) -> pd.DataFrame:
    """A row per level of each factor: how many of its runs ended in which way.

    setting, name, level, runs, completed, failed, diverged, pruned; runs that have not ended do not
    count.
    """
    ended = runs[runs["status"].isin(ENDED)]
    tables = []
    for factor in factors:
        levels = present_levels(ended, factor)
        table = pd.crosstab(ended[factor.key], ended["status"])
        counts = table.reindex(index=levels, columns=list(ENDED), fill_value=0)
        named = {"setting": factor.key, "name": factor.name, "level": levels}
        tables.append(pd.DataFrame({**named, "runs": counts.sum(axis=1).to_numpy()}))
        tables[-1][list(ENDED)] = counts.to_numpy()
    columns = ["setting", "name", "level", "runs", *ENDED]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def failing_ends(table: pd.DataFrame, factors: Sequence[Factor]) -> pd.DataFrame:
    """Where a numeric setting has many values: its ends, from where on all runs failed or diverged.

    `table`: completion by level. A row per end of at least two runs: setting, name, level (the
    innermost value), is_upper, runs, failed, diverged.
    """
    rows = []
    for factor in factors:
        own = table[(table["setting"] == factor.key) & (table["level"] != ABSENT)]
        if not factor.is_numeric or len(own) <= MOST_LEVELS:
            continue
        for is_upper in (False, True):
            ordered = own[::-1] if is_upper else own
            is_alive = ordered["completed"] + ordered["pruned"] > 0
            end = ordered[is_alive.cumsum() == 0]
            if end["runs"].sum() >= 2 and len(end) < len(own):
                counts = end[["runs", "failed", "diverged"]].sum().to_dict()
                named = {"setting": factor.key, "name": factor.name, "is_upper": is_upper}
                rows.append({**named, "level": end["level"].iloc[-1], **counts})
    return pd.DataFrame(rows)


def collapsed_runs(counted: pd.DataFrame) -> pd.DataFrame:
    """Completed runs far from the other seeds of their configuration, the farthest first.

    configuration, seed, value, others (median of the configuration's other runs), index: run id.
    Far is a distance from the configuration's median of more than 5 robust SDs and of more than
    twice the range of its other runs. The robust SD is that of the differences of all pairs of runs
    of one configuration, by their median: it does not grow with the run that it is to find. Of two
    runs, the farther one from all others is taken to have collapsed. Under normal scatter, a run is
    found in less than 3 % of sweeps (by simulation).
    """
    columns = ["configuration", "seed", "value", "others"]
    codes, _ = pd.factorize(counted["configuration"])
    order = np.argsort(codes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    values = counted["value"].to_numpy(dtype=float)
    gaps = [_gaps(values[rows]) for rows in groups]
    pairs = np.concatenate(gaps)
    if len(pairs) < FEWEST_PAIRS or not (sd := _robust_sd(pairs)) > 0:
        return pd.DataFrame(columns=columns)
    middle = float(np.median(values))
    found: dict[int, float] = {}
    for rows, own_gaps in zip(groups, gaps, strict=True):
        if own_gaps.max(initial=0) > FAR * sd:
            found |= _outlier(rows, values, sd, middle)
    if len(found) > max(1, RARE * len(counted)):
        return pd.DataFrame(columns=columns)
    table = counted.iloc[list(found)][columns[:3]].assign(others=list(found.values()))
    distances = (table["value"] - table["others"]).abs()
    return table.loc[distances.sort_values(ascending=False, kind="stable").index]


def leader_without(counted: pd.DataFrame, run_ids: Sequence[str], sign: int) -> str | None:
    """The configuration with the best mean if these runs did not count."""
    means = counted.drop(index=list(run_ids)).groupby("configuration")["value"].mean()
    return None if not len(means) else str((sign * means).idxmax())


def _gaps(values: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(len(values), 1)
    return np.asarray(np.abs(values[first] - values[second]))


def _robust_sd(gaps: np.ndarray) -> float:
    return float(np.median(gaps)) / (NORMAL_MEDIAN * 2**0.5)


def _outlier(rows: np.ndarray, values: np.ndarray, sd: float, middle: float) -> dict[int, float]:
    """The median of the other runs by the position of the run that is far from them, if one is."""
    own = values[rows]
    is_pair = len(own) == 2
    farthest = int(np.abs(own - (middle if is_pair else np.median(own))).argmax())
    others = np.delete(own, farthest)
    distance = abs(own[farthest] - np.median(others if is_pair else own))
    reach = FAR * sd * (2**0.5 if is_pair else 1)  # the SD of the difference of two runs
    is_far = distance > max(reach, ISOLATED * float(np.ptp(others)))
    return {int(rows[farthest]): float(np.median(others))} if is_far else {}
