"""What the page shows of a section, as plain values for its template."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cifar_exp.analysis.figures.gallery import Drawn
from cifar_exp.analysis.load.loading import Loaded
from cifar_exp.analysis.page.answer import answer
from cifar_exp.analysis.page.captions import CAPTIONS
from cifar_exp.analysis.page.circumstances import cautions, measured
from cifar_exp.analysis.page.details import run_details
from cifar_exp.analysis.page.embedding import as_data_uri
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.study import Study

ORDER = ("completed", "running", "interrupted", "failed", "diverged", "pruned", "not begun")
MOST_RUNS = 2000  # rows of the page's table; runs.csv has all


@dataclass(frozen=True)
class Cell:
    """A table's cell: what is shown, and what it is sorted by."""

    text: str
    key: float | str


def section_content(study: Study, drawn: Sequence[Drawn], loaded: Loaded) -> dict[str, Any]:
    """Everything of one section; texts are escaped by the template."""
    shown = _shown(study)
    sweep = study.section.sweep
    return {
        "slug": study.section.slug,
        "title": study.section.title,
        "commands": sweep.commands if sweep else (),
        "counts": counts(study),
        "answer": answer(study),
        "cautions": cautions(study),
        "configurations": _configurations(study),
        "effects": _differences(study, study.effects, _effect_name),
        "interactions": _differences(study, study.interactions, _interaction_name),
        "comparisons": _differences(study, study.comparisons, lambda row: row["configuration"]),
        "reference": study.baseline or study.best,
        "unit": study.metric.difference_unit,
        "warning": study.importance.warning if isinstance(study.importance, Importance) else None,
        "runs": _runs(study, shown),
        "hidden_runs": len(study.runs) - len(shown),
        "details": run_details(study, shown, loaded),
        "figures": [_figure(figure) for figure in drawn if figure.png],
        "left_out": [(CAPTIONS[d.name][0], d.reason) for d in drawn if d.reason],
        "failures": _failures(study, loaded),
        "measured": measured(study),
    }


def counts(study: Study) -> dict[str, int]:
    """How many runs stand how, those of the sweep that have not begun among them."""
    found = Counter(study.runs["status"])
    if study.section.sweep is not None:
        found["not begun"] = len(study.section.sweep.unstarted)
    return {status: found[status] for status in ORDER if found[status]}


def _shown(study: Study) -> pd.DataFrame:
    """The best runs first, and all that came to no good end."""
    runs = study.runs
    order = (-study.metric.sign * runs["value"].where(runs["status"] == "completed")).argsort(
        kind="stable"
    )
    ordered = runs.iloc[order]
    if len(ordered) <= MOST_RUNS:
        return ordered
    bad = ordered[ordered["status"] != "completed"].head(MOST_RUNS // 2)
    good = ordered[ordered["status"] == "completed"].head(MOST_RUNS - len(bad))
    return pd.concat([good, bad])


def _figure(figure: Drawn) -> dict[str, str]:
    assert figure.png is not None
    name, caption = CAPTIONS[figure.name]
    picture = as_data_uri(figure.png)
    return {"id": figure.name, "name": name, "caption": caption, "picture": picture}


def number(value: float, digits: int, scale: float = 1.0) -> Cell:
    """A number that is not there is an empty cell, sorted last."""
    if value is None or value != value:
        return Cell("", "")
    return Cell(f"{value * scale:,.{digits}f}", float(value))


def significant(value: float) -> Cell:
    """A number that may be of any size, to three digits."""
    return Cell("", "") if value is None or value != value else Cell(f"{value:.3g}", float(value))


def _configurations(study: Study) -> dict[str, Any]:
    metric = study.metric
    unit = f" ({metric.unit})"
    columns = ["rank", *(s.name for s in study.settings), "n", f"mean{unit}", "SD", "95 % interval"]
    columns += ["best", "test (%)", "train s", "PFLOP", "parameters", "not counted"]
    rows = [_configuration(study, row) for _, row in study.summary.iterrows()]
    return {"columns": columns, "rows": rows}


def _configuration(study: Study, row: pd.Series) -> list[Cell]:
    digits, scale = study.metric.digits, study.metric.scale
    low, high = row["ci_low"] * scale, row["ci_high"] * scale
    interval = f"[{low:.{digits}f}, {high:.{digits}f}]" if row["n"] > 1 else ""
    return [
        Cell(str(row["rank"]) if row["rank"] else "", row["rank"] or ""),
        *(level_cell(row[setting.key]) for setting in study.settings),
        Cell(str(row["n"]), row["n"]),
        *(number(row[name], digits, scale) for name in ("mean", "sd")),
        Cell(interval, row["ci_low"] if interval else ""),
        number(row["best"], digits, scale),
        number(row["test_mean"], 2, 100),
        number(row["train_seconds"], 0),
        significant(row["pflop"]),
        number(row["parameters"], 0),
        Cell(str(row["not_counted"] or ""), row["not_counted"]),
    ]


def level_cell(level: str) -> Cell:
    """A setting's level, sorted as a number where it is one."""
    try:
        return Cell(level, float(level))
    except ValueError:
        return Cell(level, level)


def _effect_name(row: pd.Series) -> str:
    return f"{row['name']} {row['level']} against {row['reference']}"


def _interaction_name(row: pd.Series) -> str:
    first = f"{row['name']} {row['reference']} to {row['level']}"
    return f"{first}, at {row['other_name']} {row['other_level']} against {row['other_reference']}"


def _differences(study: Study, table: pd.DataFrame, name: Any) -> list[Mapping[str, Any]]:
    scale, digits = study.metric.scale, study.metric.digits
    return [
        {
            "name": name(row),
            "n": int(row["n"]),
            "mean": number(row["mean"], digits, scale),
            "interval": f"[{row['low'] * scale:.{digits}f}, {row['high'] * scale:.{digits}f}]"
            if row["n"] > 1
            else "",
            "p": number(row["p_holm"], 4),
            "beats": number(row.get("beats"), 0, 100),
            "resolvable": number(row["resolvable"], digits, scale),
            "verdict": "resolved" if row["is_resolved"] else "not resolved",
            "needed": _needed(row),
        }
        for _, row in table.iterrows()
    ]


def _needed(row: pd.Series) -> Cell:
    if row["is_resolved"] or row["needed"] != row["needed"]:
        return Cell("", "")
    if row["needed"] > 1000:
        return Cell("> 1,000", 1e9)
    return Cell(f"{max(row['needed'], row['n'] + 1):.0f}", float(row["needed"]))


def _runs(study: Study, shown: pd.DataFrame) -> dict[str, Any]:
    metric = study.metric
    judged = (
        []
        if metric.name in ("val_accuracy", "test_accuracy")
        else [f"{metric.label} ({metric.unit})"]
    )
    columns = ["run", "status", *(s.name for s in study.settings), "seed", *judged]
    columns += ["val (%)", "test (%)", "epochs", "train s", "PFLOP"]
    rows = [_run(study, str(run_id), row, bool(judged)) for run_id, row in shown.iterrows()]
    return {"columns": columns, "rows": rows}


def _run(study: Study, run_id: str, row: pd.Series, has_judged: bool) -> dict[str, Any]:
    metric = study.metric
    cells = [
        Cell(f"{row['label']}-{run_id}", f"{row['label']}-{run_id}"),
        Cell(row["status"], row["status"]),
        *(level_cell(row[setting.key]) for setting in study.settings),
        Cell(str(row["seed"]), row["seed"]),
        *([number(row["value"], metric.digits, metric.scale)] if has_judged else []),
        number(row["val_accuracy"], 2, 100),
        number(row["test_accuracy"], 2, 100),
        Cell(f"{row['epochs_done']}/{row['epochs']:g}", row["epochs_done"]),
        number(row["train_seconds"], 0),
        significant(row["pflop"]),
    ]
    return {"id": run_id, "status": row["status"], "cells": cells}


def _failures(study: Study, loaded: Loaded) -> list[dict[str, Any]]:
    bad = study.runs[study.runs["reason"] != ""]
    found = []
    for run_id, row in bad.iterrows():
        error = loaded.runs[str(run_id)].record.error
        found.append(
            {
                "run": f"{row['label']}-{run_id}",
                "status": row["status"],
                "configuration": f"{row['configuration']}, seed {row['seed']}",
                "reason": row["reason"],
                "traceback": error.traceback if error else None,
                "log": f"{row['folder']}/train.log",
            }
        )
    return found
