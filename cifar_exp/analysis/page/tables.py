"""The page's tables: the text of each cell, and its sort key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.significance import MOST_SEEDS


@dataclass(frozen=True)
class Cell:
    """A cell's text, its sort key (empty cells come last) and its CSS class."""

    text: str
    key: float | str
    kind: str = ""


EMPTY = Cell("", "")


@dataclass(frozen=True)
class Row:
    """A row of cells; `run` is the id of the run whose details it opens, if any."""

    cells: Sequence[Cell]
    run: str = ""


@dataclass(frozen=True)
class Table:
    """Column headings and rows."""

    columns: Sequence[str]
    rows: Sequence[Row]


def configuration_table(statistics: GroupStatistics) -> Table:
    """A row per configuration, the best first."""
    columns = [
        "rank",
        *(f.name for f in statistics.factors),
        "n",
        f"mean ({statistics.metric.unit})",
    ]
    columns += ["SD", "95 % interval", "best", "test (%)", "train s", "PFLOP", "parameters"]
    rows = [Row(_configuration(statistics, row)) for _, row in statistics.summary.iterrows()]
    return Table([*columns, "not counted"], rows)


def _configuration(statistics: GroupStatistics, row: pd.Series) -> list[Cell]:
    metric = statistics.metric
    interval = metric.interval_text(row["ci_low"], row["ci_high"])
    return [
        Cell(str(row["rank"]), row["rank"]) if row["rank"] else EMPTY,
        *(_level(row[factor.key]) for factor in statistics.factors),
        Cell(str(row["n"]), row["n"]),
        *(_value(row[name], metric) for name in ("mean", "sd")),
        Cell(interval, row["ci_low"]) if interval else EMPTY,
        _value(row["best"], metric),
        _number(row["test_mean"], 2, 100),
        _number(row["train_seconds"], 0),
        _three_digits(row["pflop"]),
        _number(row["parameters"], 0),
        Cell(str(row["not_counted"] or ""), row["not_counted"]),
    ]


def effect_table(statistics: GroupStatistics) -> Table:
    """The main effects of the factors."""
    return _differences(
        statistics,
        statistics.effects,
        "change",
        lambda r: f"{r['name']} {r['level']} against {r['reference']}",
    )


def interaction_table(statistics: GroupStatistics) -> Table:
    """The interactions of pairs of factors."""
    return _differences(
        statistics, statistics.interactions, "interaction", _interaction, has_probability=False
    )


def _interaction(row: pd.Series) -> str:
    first = f"{row['name']} {row['reference']} to {row['level']}"
    return f"{first}, at {row['other_name']} {row['other_level']} against {row['other_reference']}"


def comparison_table(statistics: GroupStatistics) -> Table:
    """Every configuration against the best, or the baseline."""
    return _differences(
        statistics, statistics.comparisons, "configuration", lambda r: r["configuration"]
    )


def _differences(
    statistics: GroupStatistics,
    table: pd.DataFrame,
    what: str,
    name: Callable[[pd.Series], str],
    has_probability: bool = True,
) -> Table:
    unit = statistics.metric.difference_unit
    columns = [what, f"difference ({unit})", "95 % interval", "p (Holm)", "verdict", "seeds"]
    columns += ["better in"] if has_probability else []
    columns += [f"detectable ({unit})", "seeds needed"]
    rows = []
    for _, row in table.iterrows():
        better = [_better(row, statistics.metric)] if has_probability else []
        rows.append(Row([Cell(name(row), name(row)), *_difference(row, statistics.metric, better)]))
    return Table(columns, rows)


def _difference(row: pd.Series, metric: Metric, better: Sequence[Cell]) -> list[Cell]:
    is_significant = bool(row["is_resolved"])
    verdict = "significant" if is_significant else "not significant"
    paired = "" if row["is_paired"] else ", not paired"
    interval = metric.interval_text(row["low"], row["high"])
    return [
        _value(row["mean"], metric),
        Cell(interval, row["low"]) if interval else EMPTY,
        _number(row["p_holm"], 4),
        Cell(verdict, verdict, "yes" if is_significant else "no"),
        Cell(f"{row['n']}{paired}", row["n"]),
        *better,
        _value(row["resolvable"], metric),
        EMPTY if is_significant else _seeds(row["needed"]),
    ]


def _better(row: pd.Series, metric: Metric) -> Cell:
    share = row["probability"] if metric.is_higher_better else 1 - row["probability"]
    text = (
        f"{share * row['n']:g} of {row['n']}" if row["is_paired"] else f"{share:.0%} of all pairs"
    )
    return Cell(text, float(share))


def _seeds(needed: float) -> Cell:
    if needed > MOST_SEEDS:
        return Cell(f"> {MOST_SEEDS:,}", float("1e9"))
    return _number(needed, 0)


def run_table(statistics: GroupStatistics, shown: pd.DataFrame) -> Table:
    """A row per run; a metric other than the two accuracies gets its own column."""
    metric = statistics.metric
    has_column = metric.name in ("val_accuracy", "test_accuracy")
    ranked_by = [] if has_column else [f"{metric.label} ({metric.unit})"]
    columns = ["run", "status", *(f.name for f in statistics.factors), "seed", *ranked_by]
    columns += ["val (%)", "test (%)", "epochs", "train s", "PFLOP"]
    rows = []
    for run_id, row in shown.iterrows():
        value = [_value(row["value"], metric)] if ranked_by else []
        rows.append(Row(_run(statistics, row, value), str(run_id)))
    return Table(columns, rows)


def _run(statistics: GroupStatistics, row: pd.Series, value: Sequence[Cell]) -> list[Cell]:
    planned = row["epochs"]
    epochs = f"{row['epochs_done']}" if pd.isna(planned) else f"{row['epochs_done']}/{planned:g}"
    return [
        Cell(row["run"], row["run"]),
        Cell(row["status"], row["status"], f"status {row['status']}"),
        *(_level(row[factor.key]) for factor in statistics.factors),
        Cell(str(row["seed"]), row["seed"]),
        *value,
        _number(row["val_accuracy"], 2, 100),
        _number(row["test_accuracy"], 2, 100),
        Cell(epochs, row["epochs_done"]),
        _number(row["train_seconds"], 0),
        _three_digits(row["pflop"]),
    ]


def _value(value: float, metric: Metric) -> Cell:
    return _number(value, metric.digits, metric.scale)


def _number(value: float, digits: int, scale: float = 1.0) -> Cell:
    return EMPTY if pd.isna(value) else Cell(f"{value * scale:,.{digits}f}", float(value))


def _three_digits(value: float) -> Cell:
    return EMPTY if pd.isna(value) else Cell(f"{value:.3g}", float(value))


def _level(level: str) -> Cell:
    """A level, sorted as a number if it is one."""
    try:
        return Cell(level, float(level))
    except ValueError:
        return Cell(level, level)
