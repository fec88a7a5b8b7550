"""The page's tables: what is shown in each cell, and what it is sorted by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.significance import MOST_SEEDS


@dataclass(frozen=True)
class Trial:
    """`key` is what the cell is sorted by, empty for last; `kind` a class for the style."""

    text: str
    key: float | str
    kind: str = ""


EMPTY = Trial("", "")


@dataclass(frozen=True)
class Row:
    """`run` is the id of the run that it opens, if it opens one."""

    cells: Sequence[Trial]
    run: str = ""


@dataclass(frozen=True)
class Table:
    """A heading for each column, and the rows."""

    columns: Sequence[str]
    rows: Sequence[Row]


def configuration_table(study: GroupStatistics) -> Table:
    """A row a configuration, the best first."""
    columns = ["rank", *(s.name for s in study.settings), "n", f"mean ({study.metric.unit})"]
    columns += ["SD", "95 % interval", "best", "test (%)", "train s", "PFLOP", "parameters"]
    rows = [Row(_configuration(study, row)) for _, row in study.summary.iterrows()]
    return Table([*columns, "not counted"], rows)


def _configuration(study: GroupStatistics, row: pd.Series) -> list[Trial]:
    metric = study.metric
    interval = metric.interval_text(row["ci_low"], row["ci_high"])
    return [
        Trial(str(row["rank"]), row["rank"]) if row["rank"] else EMPTY,
        *(_level(row[setting.key]) for setting in study.settings),
        Trial(str(row["n"]), row["n"]),
        *(_value(row[name], metric) for name in ("mean", "sd")),
        Trial(interval, row["ci_low"]) if interval else EMPTY,
        _value(row["best"], metric),
        _number(row["test_mean"], 2, 100),
        _number(row["train_seconds"], 0),
        _significant(row["pflop"]),
        _number(row["parameters"], 0),
        Trial(str(row["not_counted"] or ""), row["not_counted"]),
    ]


def effect_table(study: GroupStatistics) -> Table:
    """What a change of one setting does."""
    return _differences(
        study,
        study.effects,
        "change",
        lambda r: f"{r['name']} {r['level']} against {r['reference']}",
    )


def interaction_table(study: GroupStatistics) -> Table:
    """How much one setting's effect changes with another."""
    return _differences(
        study, study.interactions, "interaction", _interaction, has_probability=False
    )


def _interaction(row: pd.Series) -> str:
    first = f"{row['name']} {row['reference']} to {row['level']}"
    return f"{first}, at {row['other_name']} {row['other_level']} against {row['other_reference']}"


def comparison_table(study: GroupStatistics) -> Table:
    """Every configuration against the best, or the baseline."""
    return _differences(study, study.comparisons, "configuration", lambda r: r["configuration"])


def _differences(
    study: GroupStatistics,
    table: pd.DataFrame,
    what: str,
    name: Callable[[pd.Series], str],
    has_probability: bool = True,
) -> Table:
    unit = study.metric.difference_unit
    columns = [what, f"difference ({unit})", "95 % interval", "p (Holm)", "verdict", "seeds"]
    columns += ["better in"] if has_probability else []
    columns += [f"resolvable ({unit})", "seeds it would take"]
    rows = []
    for _, row in table.iterrows():
        better = [_better(row, study.metric)] if has_probability else []
        rows.append(Row([Trial(name(row), name(row)), *_difference(row, study.metric, better)]))
    return Table(columns, rows)


def _difference(row: pd.Series, metric: Metric, better: Sequence[Trial]) -> list[Trial]:
    is_resolved = bool(row["is_resolved"])
    verdict = "resolved" if is_resolved else "not resolved"
    paired = "" if row["is_paired"] else ", not paired"
    interval = metric.interval_text(row["low"], row["high"])
    return [
        _value(row["mean"], metric),
        Trial(interval, row["low"]) if interval else EMPTY,
        _number(row["p_holm"], 4),
        Trial(verdict, verdict, "yes" if is_resolved else "no"),
        Trial(f"{row['n']}{paired}", row["n"]),
        *better,
        _value(row["resolvable"], metric),
        EMPTY if is_resolved else _seeds(row["needed"]),
    ]


def _better(row: pd.Series, metric: Metric) -> Trial:
    share = row["probability"] if metric.is_higher_better else 1 - row["probability"]
    text = (
        f"{share * row['n']:g} of {row['n']}" if row["is_paired"] else f"{share:.0%} of all pairs"
    )
    return Trial(text, float(share))


def _seeds(needed: float) -> Trial:
    if needed > MOST_SEEDS:
        return Trial(f"> {MOST_SEEDS:,}", float("1e9"))
    return _number(needed, 0)


def run_table(study: GroupStatistics, shown: pd.DataFrame) -> Table:
    """A row a run; where they are judged by neither accuracy, by what they are."""
    metric = study.metric
    is_column = metric.name in ("val_accuracy", "test_accuracy")
    judged = [] if is_column else [f"{metric.label} ({metric.unit})"]
    columns = ["run", "status", *(s.name for s in study.settings), "seed", *judged]
    columns += ["val (%)", "test (%)", "epochs", "train s", "PFLOP"]
    rows = []
    for run_id, row in shown.iterrows():
        value = [_value(row["value"], metric)] if judged else []
        rows.append(Row(_run(study, row, value), str(run_id)))
    return Table(columns, rows)


def _run(study: GroupStatistics, row: pd.Series, value: Sequence[Trial]) -> list[Trial]:
    asked = row["epochs"]
    epochs = f"{row['epochs_done']}" if pd.isna(asked) else f"{row['epochs_done']}/{asked:g}"
    return [
        Trial(row["run"], row["run"]),
        Trial(row["status"], row["status"], f"status {row['status']}"),
        *(_level(row[setting.key]) for setting in study.settings),
        Trial(str(row["seed"]), row["seed"]),
        *value,
        _number(row["val_accuracy"], 2, 100),
        _number(row["test_accuracy"], 2, 100),
        Trial(epochs, row["epochs_done"]),
        _number(row["train_seconds"], 0),
        _significant(row["pflop"]),
    ]


def _value(value: float, metric: Metric) -> Trial:
    return _number(value, metric.digits, metric.scale)


def _number(value: float, digits: int, scale: float = 1.0) -> Trial:
    return EMPTY if pd.isna(value) else Trial(f"{value * scale:,.{digits}f}", float(value))


def _significant(value: float) -> Trial:
    return EMPTY if pd.isna(value) else Trial(f"{value:.3g}", float(value))


def _level(level: str) -> Trial:
    """Sorted as a number where it is one."""
    try:
        return Trial(level, float(level))
    except ValueError:
        return Trial(level, level)
