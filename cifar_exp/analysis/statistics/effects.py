"""What a change of one setting does, and of two together: contrasts of matched runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations, product
from typing import Any

import pandas as pd

from cifar_exp.analysis.statistics.comparisons import judged
from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.significance import Difference, paired

MOST_LEVELS = 12  # of a setting drawn at random every value is a level of its own


def main_effects(
    counted: pd.DataFrame, settings: Sequence[Factor], references: Mapping[str, str]
) -> pd.DataFrame:
    """A row for each level of a setting but its reference: the difference that the change makes.

    Only runs that agree in all other settings and the seed are subtracted; the differences are
    averaged over the other settings and compared between seeds, so n counts seeds and the interval
    tells what other seeds would have given. `cells`: combinations of the other settings that are
    averaged over. A level that was never trained beside the reference is held against the nearest
    lower level that it was trained beside.
    """
    rows = [row for s in settings for row in _level_rows(counted, settings, s, references[s.key])]
    return judged(pd.DataFrame(rows, columns=None if rows else ["setting", "name", "level"]))


def interactions(
    counted: pd.DataFrame, settings: Sequence[Factor], references: Mapping[str, str]
) -> pd.DataFrame:
    """A row for two settings and a level of each: how much the first one's effect changes.

    (both changed - only the second changed) - (only the first changed - neither), seed by seed.
    """
    rows = [
        row
        for first, second in combinations(settings, 2)
        for row in _pair_rows(counted, settings, (first, second), references)
    ]
    return judged(pd.DataFrame(rows, columns=None if rows else ["setting", "other"]))


def levels_within(counted: pd.DataFrame, setting: Factor) -> list[str]:
    """The levels that completed runs have, in order; none where they are too many to be levels."""
    present = set(counted[setting.key])
    levels = [level for level in setting.levels if level in present]
    return levels if len(levels) <= MOST_LEVELS else []


def reference_levels(
    counted: pd.DataFrame, settings: Sequence[Factor], baseline: str | None
) -> dict[str, str]:
    """The level that each setting's others are held against: the baseline's, else the lowest."""
    chosen = counted[counted["configuration"] == baseline] if baseline else counted.iloc[:0]
    if len(chosen):
        return {setting.key: str(chosen[setting.key].iloc[0]) for setting in settings}
    present = {s.key: set(counted[s.key]) for s in settings}
    levels = {s.key: [v for v in s.levels if v in present[s.key]] for s in settings}
    return {key: min(found, key=lambda v: v == ABSENT, default="") for key, found in levels.items()}


def _level_rows(
    counted: pd.DataFrame, settings: Sequence[Factor], setting: Factor, reference: str
) -> Iterator[dict[str, Any]]:
    levels = levels_within(counted, setting)
    if reference not in levels:
        return
    table = wide(counted, settings, [setting])
    for place, level in enumerate(levels):
        for base in [reference, *reversed(levels[:place])] if level != reference else []:
            found = _over_seeds(table[level] - table[base])
            if found is not None:
                names = {"setting": setting.key, "name": setting.name}
                yield {**names, "level": level, "reference": base, **found}
                break


def _pair_rows(
    counted: pd.DataFrame,
    settings: Sequence[Factor],
    pair: tuple[Factor, Factor],
    references: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    levels = [levels_within(counted, setting) for setting in pair]
    base = tuple(references[setting.key] for setting in pair)
    if base[0] not in levels[0] or base[1] not in levels[1]:
        return
    table = wide(counted, settings, pair)
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


def wide(
    counted: pd.DataFrame, settings: Sequence[Factor], spread: Sequence[Factor]
) -> pd.DataFrame:
    """Values with a column a level of `spread`, a row for the rest of the settings and the seed."""
    keys = [setting.key for setting in spread]
    rest = [setting.key for setting in settings if setting.key not in keys]
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
    """A part without gaps, cells x seeds: else seeds would differ in what they average over.

    Of all cells with the seeds that have them, and all seeds with the cells that have those, the
    part with more seeds from two on, then the larger.
    """
    parts = [matrix.dropna(axis=0), matrix.dropna(axis=1)]
    return max(parts, key=lambda part: (min(part.shape[1], 2) if part.size else 0, part.size))
