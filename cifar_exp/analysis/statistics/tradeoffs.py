"""What quality costs, and which single changes lead to the best configuration."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.effects import wide
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.significance import mean_interval, resolvable_effect


def pareto_front(summary: pd.DataFrame, cost: str, metric: Metric) -> pd.Series:
    """Whether no configuration is both as cheap and better, or cheaper and as good."""
    gain = metric.sign * summary["mean"].to_numpy(dtype=float)
    price = summary[cost].to_numpy(dtype=float)
    order = np.lexsort((-gain, price))  # the cheapest first, of equally cheap the best
    best, is_on_front = -np.inf, np.zeros(len(summary), dtype=bool)
    for place in order:
        if gain[place] > best and not np.isnan(price[place]):
            best, is_on_front[place] = gain[place], True
    return pd.Series(is_on_front, index=summary.index)


def cheapest(summary: pd.DataFrame, settings: Sequence[Factor]) -> str:
    """The configuration of fewest PFLOP; of equals the one with the lowest levels."""
    known = summary[summary["n"] > 0]
    places = {s.key: known[s.key].map(s.levels.index) for s in settings}
    order = pd.DataFrame({"pflop": known["pflop"].round(9), **places})
    first = order.sort_values(list(order.columns), kind="stable").index[0]
    return str(known.loc[first, "configuration"])


def path_to_best(
    summary: pd.DataFrame, settings: Sequence[Factor], start: str, metric: Metric
) -> pd.DataFrame:
    """Single changes from `start` to the best configuration, each time the one that gains most.

    A row a step: configuration, change, mean, gain; the first row is the start. The steps stop
    where the next configurations were not trained (ablation path after Fawcett and Hoos, 2016).
    """
    known = summary[summary["n"] > 0]
    means = {tuple(row[s.key] for s in settings): row for _, row in known.iterrows()}
    here = next(k for k, row in means.items() if row["configuration"] == start)
    goal = next(iter(means))  # the summary has the best first
    rows = [{"configuration": start, "change": "", "mean": means[here]["mean"], "gain": 0.0}]
    while here != goal:
        steps = [(i, (*here[:i], goal[i], *here[i + 1 :])) for i in range(len(goal))]
        open_steps = [(i, cell) for i, cell in steps if cell != here and cell in means]
        if not open_steps:
            break
        i, cell = max(open_steps, key=lambda step: metric.sign * means[step[1]]["mean"])
        gain = means[cell]["mean"] - means[here]["mean"]
        change = f"{settings[i].name} {here[i]} to {cell[i]}"
        name = means[cell]["configuration"]
        rows.append(
            {"configuration": name, "change": change, "mean": means[cell]["mean"], "gain": gain}
        )
        here = cell
    return pd.DataFrame(rows).assign(is_complete=here == goal)


def resolvable_by_seeds(sd: float, seeds: Sequence[int]) -> pd.DataFrame:
    """The smallest difference of two configurations that so many seeds each resolve (80 % power,
    paired t test, seeds not correlated: the SD of a difference is sqrt(2) times that of a run).
    """
    sizes = [sd * 2**0.5 * resolvable_effect(n) for n in seeds]
    return pd.DataFrame({"seeds": list(seeds), "resolvable": sizes})


def marginal_means(
    counted: pd.DataFrame, settings: Sequence[Factor], first: Factor, second: Factor
) -> pd.DataFrame:
    """A row for each pair of levels: mean and 95 % interval over seeds, n seeds, their SD.

    Of several combinations of the other settings a seed's runs are averaged first; those that were
    not trained at all pairs of levels are left out, so that all cells average over the same. Empty
    where none is left.
    """
    table = wide(counted, settings, [first, second])
    alike = table.groupby(level=0).count().gt(0).all(axis=1)
    kept = table[table.index.get_level_values(0).map(alike)] if len(settings) > 2 else table
    rows = []
    for (a, b), values in kept.items():
        seeds = values.dropna().groupby(level=1).mean().to_numpy()
        low, high = mean_interval(seeds)
        sd = seeds.std(ddof=1) if len(seeds) > 1 else np.nan
        row = {"first": a, "second": b, "mean": seeds.mean(), "sd": sd, "n": len(seeds)}
        rows += [{**row, "low": low, "high": high}] if len(seeds) else []
    return pd.DataFrame(rows)
