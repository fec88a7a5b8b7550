"""Contrasts between configurations that show the effect of one factor, or of two together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.strata import MOST_LEVELS

COVERED = 0.5  # of the configurations, that a factor's matched ones must hold to be enough


@dataclass(frozen=True)
class Contrast:
    """`weights` of the configurations' means, (cells,), summing to 0, and what it compares.

    `levels` and `references`: one per factor in `keys`. `over`: what it averages over, as text.
    `basis`: `all` of the other factors' combinations, `some` of them, or an `additive` model.
    """

    keys: tuple[str, ...]
    levels: tuple[str, ...]
    references: tuple[str, ...]
    weights: np.ndarray
    over: str
    basis: str

    @property
    def is_of_two(self) -> bool:
        """Whether it compares two configurations, and averages over nothing."""
        return int(np.count_nonzero(self.weights)) == 2


def present_levels(cells: pd.DataFrame, factor: Factor) -> list[str]:
    """The factor's levels among these, in order; empty if there are too many."""
    present = set(cells[factor.key])
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


def effect_contrasts(
    cells: pd.DataFrame, factors: Sequence[Factor], references: Mapping[str, str]
) -> list[Contrast]:
    """Each level of each factor against its reference; `cells` has a row per configuration.

    Levels are compared where all other factors agree, averaged over the combinations of those at
    which every level of the factor was trained. Where these hold less than half of the
    configurations (a fraction of a grid, or one factor changed at a time), an additive model of all
    factors is fitted instead. A level that cannot be compared with the reference is compared with
    the next lower one.
    """
    return [c for f in factors for c in _of_factor(cells, factors, f, references[f.key])]


def _of_factor(
    cells: pd.DataFrame, factors: Sequence[Factor], factor: Factor, reference: str
) -> Iterator[Contrast]:
    levels = present_levels(cells, factor)
    if reference not in levels or len(levels) < 2:
        return
    rows = rows_by_level(cells, factors, [factor])
    whole = [row for row in rows if all((level,) in row for level in levels)]
    is_covered = len(whole) * len(levels) >= COVERED * len(cells)
    if not is_covered and len(factors) > 1:
        additive = list(_additive(cells, factors, factor, reference, levels))
        if len(additive) == len(levels) - 1:
            yield from additive
            return
    yield from _matched(cells, factors, factor, reference, levels, rows, whole)


def _matched(
    cells: pd.DataFrame,
    factors: Sequence[Factor],
    factor: Factor,
    reference: str,
    levels: Sequence[str],
    rows: Sequence[dict[tuple[str, ...], int]],
    whole: Sequence[dict[tuple[str, ...], int]],
) -> Iterator[Contrast]:
    rest = [f for f in factors if f.key != factor.key]
    for i, level in enumerate(levels):
        for base in [reference, *reversed(levels[:i])] if level != reference else []:
            used = whole or [row for row in rows if (level,) in row and (base,) in row]
            if used:
                weights = np.zeros(len(cells))
                for row in used:
                    weights[row[level,]] += 1 / len(used)
                    weights[row[base,]] -= 1 / len(used)
                over, basis = _averaged_over(cells, rest, used)
                yield Contrast((factor.key,), (level,), (base,), weights, over, basis)
                break


def _additive(
    cells: pd.DataFrame,
    factors: Sequence[Factor],
    factor: Factor,
    reference: str,
    levels: Sequence[str],
) -> Iterator[Contrast]:
    """Contrasts of a factor's coefficients in an additive model, where they can be estimated."""
    if any(not present_levels(cells, f) for f in factors):
        return
    codes = [present_levels(cells, f) for f in factors]
    blocks = [
        (cells[f.key].to_numpy()[:, None] == np.array(own, dtype=object)).astype(float)
        for f, own in zip(factors, codes, strict=True)
    ]
    design = np.hstack([np.ones((len(cells), 1)), *blocks])
    inverse = np.linalg.pinv(design)
    position = list(factors).index(factor)
    first = 1 + sum(len(own) for own in codes[:position])
    names = ", ".join(f.name for f in factors if f.key != factor.key)
    for level in levels:
        if level == reference:
            continue
        wanted = np.zeros(design.shape[1])
        wanted[first + levels.index(level)] = 1.0
        wanted[first + levels.index(reference)] = -1.0
        weights = wanted @ inverse
        if np.allclose(weights @ design, wanted, atol=1e-8):
            over = f"additive in {names}"
            yield Contrast((factor.key,), (level,), (reference,), weights, over, "additive")


def interaction_contrasts(
    cells: pd.DataFrame, factors: Sequence[Factor], references: Mapping[str, str]
) -> list[Contrast]:
    """How much one factor's effect changes with another: a contrast per pair of levels.

    (both changed - only the second changed) - (only the first changed - neither changed), averaged
    over the combinations of the other factors at which all four were trained.
    """
    return [
        contrast
        for i, first in enumerate(factors)
        for second in factors[i + 1 :]
        for contrast in _of_pair(cells, factors, (first, second), references)
    ]


def _of_pair(
    cells: pd.DataFrame,
    factors: Sequence[Factor],
    pair: tuple[Factor, Factor],
    references: Mapping[str, str],
) -> Iterator[Contrast]:
    base = tuple(references[factor.key] for factor in pair)
    levels = [[v for v in present_levels(cells, f) if v != references[f.key]] for f in pair]
    rows = rows_by_level(cells, factors, pair)
    rest = [f for f in factors if f not in pair]
    whole = _averaged_over(cells, rest, rows)
    for a, b in product(*levels):
        corners = {(a, b): 1.0, (base[0], b): -1.0, (a, base[1]): -1.0, base: 1.0}
        used = [row for row in rows if all(corner in row for corner in corners)]
        if used:
            weights = np.zeros(len(cells))
            for row in used:
                for corner, sign in corners.items():
                    weights[row[corner]] += sign / len(used)
            is_whole = len(used) == len(rows)
            over, basis = whole if is_whole else _averaged_over(cells, rest, used)
            keys = (pair[0].key, pair[1].key)
            yield Contrast(keys, (a, b), base, weights, over, basis)


def rows_by_level(
    cells: pd.DataFrame, factors: Sequence[Factor], spread: Sequence[Factor]
) -> list[dict[tuple[str, ...], int]]:
    """For each combination of the other factors, the row of `cells` at each level of `spread`."""
    rest = [f.key for f in factors if f not in spread]
    rows: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
    others = zip(*(cells[key] for key in rest), strict=True) if rest else [()] * len(cells)
    own = zip(*(cells[f.key] for f in spread), strict=True)
    for i, (other, levels) in enumerate(zip(others, own, strict=True)):
        rows.setdefault(tuple(other), {})[levels] = i
    return list(rows.values())


def _averaged_over(
    cells: pd.DataFrame, rest: Sequence[Factor], used: Sequence[dict[tuple[str, ...], int]]
) -> tuple[str, str]:
    """The levels of the other factors that a contrast averages over, and whether that is all."""
    chosen = cells.iloc[[next(iter(row.values())) for row in used]]
    varied = [f for f in rest if cells[f.key].nunique() > 1]
    texts = [f"{f.name} {', '.join(present_levels(chosen, f)) or 'drawn'}" for f in varied]
    combinations = len(cells[[f.key for f in varied]].drop_duplicates()) if varied else 1
    return "; ".join(texts), "all" if len(used) >= combinations else "some"
