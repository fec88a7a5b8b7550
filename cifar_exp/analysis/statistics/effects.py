"""Factor effects, interactions and marginal means, from contrasts of matched runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.comparisons import with_verdicts
from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.significance import Difference, mean_interval, paired

MOST_LEVELS = 12  # more are values drawn at random rather than levels


def main_effects(
    counted: pd.DataFrame, factors: Sequence[Factor], references: Mapping[str, str]
) -> pd.DataFrame:
    """The main effect of each factor: a row per level, compared with the factor's reference level.

    Only runs that agree in all other factors and in the seed are subtracted. The differences are
    averaged over the other factors, then compared between seeds: n counts seeds, and the interval
    covers what other seeds would give. `cells`: combinations of the other factors averaged over. A
    level without matching runs at the reference is compared with the next lower level that has
    them.
    """
    rows = [row for f in factors for row in _level_rows(counted, factors, f, references[f.key])]
    return with_verdicts(pd.DataFrame(rows, columns=None if rows else ["setting", "name", "level"]))


def interactions(
    counted: pd.DataFrame, factors: Sequence[Factor], references: Mapping[str, str]
) -> pd.DataFrame:
    """The interaction of each pair of factors: a row per pair of levels.

    How much the first factor's effect changes with the second, seed by seed:
    (both changed - only the second changed) - (only the first changed - neither changed).
    """
    rows = [
        row
        for first, second in combinations(factors, 2)
        for row in _pair_rows(counted, factors, (first, second), references)
    ]
    return with_verdicts(pd.DataFrame(rows, columns=None if rows else ["setting", "other"]))


def levels_within(counted: pd.DataFrame, factor: Factor) -> list[str]:
    """The factor's levels among the counted runs, in order; empty if there are too many."""
    present = set(counted[factor.key])
    levels = [level for level in factor.levels if level in present]
    return levels if len(levels) <= MOST_LEVELS else []


def reference_levels(
    counted: pd.DataFrame, factors: Sequence[Factor], baseline: str | None
) -> dict[str, str]:
    """The reference level of each factor: the baseline's, or else the lowest one."""
    chosen = counted[counted["configuration"] == baseline] if baseline else counted.iloc[:0]
    if len(chosen):
        return {factor.key: str(chosen[factor.key].iloc[0]) for factor in factors}
    present = {f.key: set(counted[f.key]) for f in factors}
    levels = {f.key: [v for v in f.levels if v in present[f.key]] for f in factors}
    return {key: min(found, key=lambda v: v == ABSENT, default="") for key, found in levels.items()}


def _level_rows(
    counted: pd.DataFrame, factors: Sequence[Factor], factor: Factor, reference: str
) -> Iterator[dict[str, Any]]:
    levels = levels_within(counted, factor)
    if reference not in levels:
        return
    table = pivot(counted, factors, [factor])
    for i, level in enumerate(levels):
        for base in [reference, *reversed(levels[:i])] if level != reference else []:
            found = _over_seeds(table[level] - table[base])
            if found is not None:
                names = {"setting": factor.key, "name": factor.name}
                yield {**names, "level": level, "reference": base, **found}
                break


def _pair_rows(
    counted: pd.DataFrame,
    factors: Sequence[Factor],
    pair: tuple[Factor, Factor],
    references: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    levels = [levels_within(counted, factor) for factor in pair]
    base = tuple(references[factor.key] for factor in pair)
    if base[0] not in levels[0] or base[1] not in levels[1]:
        return
    table = pivot(counted, factors, pair)
    for a, b in product(*levels):
        corners = [(a, b), (base[0], b), (a, base[1]), base]
        if a == base[0] or b == base[1] or any(corner not in table for corner in corners):
            continue
        both, second, first, neither = (table[corner] for corner in corners)
        found = _over_seeds((both - second) - (first - neither))
        if found is not None:
            names = {"name": pair[0].name, "other_name": pair[1].name}
            chosen = {
                "level": a,
                "reference": base[0],
                "other_level": b,
                "other_reference": base[1],
            }
            yield {"setting": pair[0].key, "other": pair[1].key, **names, **chosen, **found}


def marginal_means(
    counted: pd.DataFrame, factors: Sequence[Factor], first: Factor, second: Factor
) -> pd.DataFrame:
    """A row per pair of levels: mean over seeds with its 95 % interval, their SD, n seeds.

    Each seed's runs are averaged over the other factors first. Combinations of the other factors
    that were not trained at all pairs of levels are left out, so that every mean averages over the
    same ones; the table is empty if none is left.
    """
    table = pivot(counted, factors, [first, second])
    is_whole = table.groupby(level=0).count().gt(0).all(axis=1)
    kept = table[table.index.get_level_values(0).map(is_whole)] if len(factors) > 2 else table
    rows = []
    for (a, b), values in kept.items():
        seeds = values.dropna().groupby(level=1).mean().to_numpy()
        low, high = mean_interval(seeds)
        sd = seeds.std(ddof=1) if len(seeds) > 1 else np.nan
        row = {"first": a, "second": b, "mean": seeds.mean(), "sd": sd, "n": len(seeds)}
        rows += [{**row, "low": low, "high": high}] if len(seeds) else []
    return pd.DataFrame(rows)


def pivot(
    counted: pd.DataFrame, factors: Sequence[Factor], spread: Sequence[Factor]
) -> pd.DataFrame:
    """Values in a column per level of `spread`, a row per combination of other factors and seed."""
    keys = [factor.key for factor in spread]
    rest = [factor.key for factor in factors if factor.key not in keys]
    cell = counted.groupby(rest).ngroup() if rest else pd.Series(0, index=counted.index)
    index = [cell, counted["seed"], *(counted[key] for key in keys)]
    values = pd.Series(
        counted["value"].to_numpy(dtype=float), index=pd.MultiIndex.from_arrays(index)
    )
    return values.unstack(list(range(2, 2 + len(keys))))


def _over_seeds(differences: pd.Series) -> dict[str, Any] | None:
    matrix = _balanced(differences.unstack().dropna(how="all").dropna(how="all", axis=1))
    if not matrix.size:
        return None
    found: Difference = paired(matrix.mean(axis=0).to_numpy())
    return {"cells": len(matrix), **asdict(found)}


def _balanced(matrix: pd.DataFrame) -> pd.DataFrame:
    """A part of cells x seeds without gaps, so that every seed averages over the same cells.

    Either the seeds that have all cells or the cells that have all seeds: the part with two seeds
    or more is preferred, then the larger one.
    """
    parts = [matrix.dropna(axis=0), matrix.dropna(axis=1)]
    return max(parts, key=lambda part: (min(part.shape[1], 2) if part.size else 0, part.size))
