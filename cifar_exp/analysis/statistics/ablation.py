"""The ablation path: single changes that lead to the best configuration."""

from collections.abc import Sequence

import pandas as pd

from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.metric import Metric

Levels = tuple[str, ...]


def cheapest(summary: pd.DataFrame, factors: Sequence[Factor]) -> str:
    """The configuration with the fewest PFLOP; among equals, the one with the lowest levels."""
    evaluated = summary[summary["n"] > 0]
    ranks = {f.key: evaluated[f.key].map(f.levels.index) for f in factors}
    order = pd.DataFrame({"pflop": evaluated["pflop"].round(9), **ranks})
    first = order.sort_values(list(order.columns), kind="stable").index[0]
    return str(evaluated.loc[first, "configuration"])


def path_to_best(
    summary: pd.DataFrame, factors: Sequence[Factor], start: str, metric: Metric
) -> pd.DataFrame:
    """Change one factor at a time from `start` to the best configuration, the largest gain first.

    A row per step: configuration, change, mean, gain, is_complete; the first row is the start. The
    path is not complete where no next configuration was trained (Fawcett and Hoos, 2016).
    """
    evaluated = summary[summary["n"] > 0]
    by_levels = {tuple(row[f.key] for f in factors): row for _, row in evaluated.iterrows()}
    here = next(k for k, row in by_levels.items() if row["configuration"] == start)
    goal = next(iter(by_levels))  # the summary has the best first
    rows = [{"configuration": start, "change": "", "mean": by_levels[here]["mean"], "gain": 0.0}]
    while here != goal:
        steps = [(i, levels) for i, levels in _steps(here, goal) if levels in by_levels]
        if not steps:
            break
        i, levels = max(steps, key=lambda step: metric.sign * by_levels[step[1]]["mean"])
        row = by_levels[levels]
        change = f"{factors[i].name} {here[i]} to {levels[i]}"
        gain = row["mean"] - by_levels[here]["mean"]
        step = {"configuration": row["configuration"], "change": change, "mean": row["mean"]}
        rows.append({**step, "gain": gain})
        here = levels
    return pd.DataFrame(rows).assign(is_complete=here == goal)


def _steps(here: Levels, goal: Levels) -> list[tuple[int, Levels]]:
    """The factors that still differ, each with the levels after it is changed."""
    differing = [i for i in range(len(goal)) if here[i] != goal[i]]
    return [(i, (*here[:i], goal[i], *here[i + 1 :])) for i in differing]
