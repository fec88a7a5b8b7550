"""What an effect is worth in compute, where a sweep has a ladder of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.contrasts import present_levels, rows_by_level
from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.model import CellModel
from cifar_exp.analysis.statistics.simultaneous import single
from cifar_exp.analysis.statistics.verdicts import ALPHA

EPOCHS = "trainer.epochs"  # the plainest ladder: the same network, longer
FEWEST_RUNGS = 2
LADDER = 1.5  # times the compute from the lowest to the highest rung, at least
COLUMNS = (
    "setting", "name", "level", "reference", "ladder", "rungs", "lowest", "highest",
    "ratio", "low", "high", "cost",
)  # fmt: skip


@dataclass(frozen=True)
class Ladder:
    """A numeric factor whose levels cost more and more compute, all else equal."""

    factor: Factor
    levels: tuple[str, ...]


def find_ladders(cells: pd.DataFrame, factors: Sequence[Factor]) -> list[Ladder]:
    """The ladders of a sweep, epochs first; `cells` has the mean `pflop` of each configuration."""
    found = []
    for factor in sorted(factors, key=lambda f: f.key != EPOCHS):
        levels = present_levels(cells, factor)
        if not factor.is_numeric or ABSENT in levels or len(levels) < FEWEST_RUNGS:
            continue
        rows = rows_by_level(cells, factors, [factor])
        whole = [row for row in rows if all((level,) in row for level in levels)]
        costs = cells["pflop"].to_numpy(dtype=float)
        steps = [[costs[row[level,]] for level in levels] for row in whole]
        if whole and all(np.all(np.diff(s) > 0) and s[-1] >= LADDER * s[0] for s in steps):
            found.append(Ladder(factor, tuple(levels)))
    return found


def prices(
    model: CellModel,
    cells: pd.DataFrame,
    factors: Sequence[Factor],
    effects: pd.DataFrame,
    sign: int,
) -> pd.DataFrame:
    """What the largest significant effect of each factor is worth: columns COLUMNS.

    ratio: how many times the compute the worse level needs for the better level's result; low and
    high: its 95 % interval, NaN where an end lies outside of the ladder; cost: how many times the
    compute the better level takes on the same rung. `level` is the better one. Both levels are
    followed over all rungs of the ladder at equal further settings; the worse level's results are
    interpolated linearly over the logarithm of PFLOP. Rungs at which the better level leaves the
    range of the worse level's results do not count, and nothing is said of a ladder on which more
    compute does not always give a better result. The ratio is the geometric mean over `rungs`.
    """
    rows = []
    for ladder in find_ladders(cells, factors):
        for factor in factors:
            own = effects[(effects["setting"] == factor.key) & (effects["verdict"] != "undecided")]
            own = own[own["is_significant"].astype(bool)]
            if factor.key == ladder.factor.key or not len(own):
                continue
            effect = own.loc[own["mean"].abs().idxmax()]
            pair = (str(effect["level"]), str(effect["reference"]))
            better, worse = pair if effect["verdict"] == "better" else pair[::-1]
            rows += list(_price(model, cells, factors, (factor, better, worse), ladder, sign))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.drop_duplicates("setting", ignore_index=True)


def _price(
    model: CellModel,
    cells: pd.DataFrame,
    factors: Sequence[Factor],
    effect: tuple[Factor, str, str],
    ladder: Ladder,
    sign: int,
) -> Iterator[dict[str, object]]:
    factor, better, worse = effect
    wanted = [(rung, level) for rung in ladder.levels for level in (better, worse)]
    rows = rows_by_level(cells, factors, [ladder.factor, factor])
    whole = [row for row in rows if all(levels in row for levels in wanted)]
    if not whole:
        return
    weights = {
        level: _averages([[row[rung, level] for row in whole] for rung in ladder.levels], cells)
        for level in (better, worse)
    }
    logs = np.log(cells["pflop"].to_numpy(dtype=float))
    results = {level: sign * own @ model.means for level, own in weights.items()}
    costs = {level: own @ logs for level, own in weights.items()}
    climb = results[worse]
    inside = (results[better] >= climb[0]) & (results[better] <= climb[-1])
    if not (np.diff(climb) > 0).all() or not inside.any():
        return
    met = _interpolation(results[better][inside], climb) @ weights[worse]
    contrast = (weights[better][inside] - met).mean(axis=0)
    variance = model.variance(contrast[None])
    half = float((single().critical(variance.df, ALPHA) * variance.errors)[0])

    def ratio(shift: float) -> float:
        aims = results[better][inside] + shift
        if not (aims.min() >= climb[0] and aims.max() <= climb[-1]):  # or NaN
            return float("nan")
        return exp(float((np.interp(aims, climb, costs[worse]) - costs[worse][inside]).mean()))

    yield {
        "setting": factor.key,
        "name": factor.name,
        "level": better,
        "reference": worse,
        "ladder": ladder.factor.name,
        "rungs": tuple(rung for rung, use in zip(ladder.levels, inside, strict=True) if use),
        "lowest": ladder.levels[0],
        "highest": ladder.levels[-1],
        "ratio": ratio(0.0),
        "low": ratio(-half),
        "high": ratio(half),
        "cost": exp(float((costs[better] - costs[worse])[inside].mean())),
    }


def _interpolation(aims: np.ndarray, climb: np.ndarray) -> np.ndarray:
    """Weights of the rungs whose interpolated results are `aims`: (aims, rungs)."""
    return np.array([np.interp(aims, climb, unit) for unit in np.eye(len(climb))]).T


def _averages(groups: Sequence[Sequence[int]], cells: pd.DataFrame) -> np.ndarray:
    """A row of weights over the configurations for each group: (groups, cells)."""
    weights = np.zeros((len(groups), len(cells)))
    for row, members in zip(weights, groups, strict=True):
        row[list(members)] = 1 / len(members)
    return weights
