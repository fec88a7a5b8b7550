"""What the page shows of a comparison group, as plain values for the template."""

from collections import Counter
from typing import Any

import pandas as pd

from cifar_exp.analysis.figures.base import GroupFigures, PlannedFigure
from cifar_exp.analysis.load.runs import LoadedRuns
from cifar_exp.analysis.page.data import group_data, shown_runs
from cifar_exp.analysis.page.findings import findings
from cifar_exp.analysis.page.methods import cautions, methods
from cifar_exp.analysis.page.tables import (
    comparison_table,
    configuration_table,
    effect_table,
    interaction_table,
    run_table,
)
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.run_state import STATUSES


def group_context(figures: GroupFigures, loaded: LoadedRuns) -> dict[str, Any]:
    """Everything that the page shows of a group; the template escapes the texts."""
    statistics = figures.data.statistics
    shown = shown_runs(statistics)
    group = statistics.group
    return {
        "slug": group.slug,
        "title": group.title,
        "commands": group.sweep.commands if group.sweep else (),
        "counts": counts(statistics),
        "findings": findings(statistics),
        "cautions": cautions(statistics),
        "configurations": configuration_table(statistics),
        "effects": effect_table(statistics),
        "interactions": interaction_table(statistics),
        "comparisons": comparison_table(statistics),
        "reference": statistics.baseline or statistics.best,
        "runs": run_table(statistics, shown),
        "hidden_runs": len(statistics.runs) - len(shown),
        "data": group_data(statistics, shown, loaded),
        "figures": [_figure(figure) for figure in figures.planned if figure.alt],
        "skipped_figures": [(f.spec.title, f.reason) for f in figures.planned if f.reason],
        "failures": _failures(shown, loaded),
        "methods": methods(statistics),
    }


def counts(statistics: GroupStatistics) -> dict[str, int]:
    """The number of runs by status, with the sweep's pending runs."""
    found = Counter(statistics.runs["status"])
    found["pending"] = len(statistics.group.pending)
    return {status: found[status] for status in STATUSES if found[status]}


def _figure(figure: PlannedFigure) -> dict[str, str | None]:
    """`file` is relative to the page, without the ending."""
    spec, file = figure.spec, "/".join(["figures", figure.folder.name, figure.spec.name])
    return {"title": spec.title, "question": spec.question, "alt": figure.alt, "file": file}


def _failures(shown: pd.DataFrame, loaded: LoadedRuns) -> list[dict[str, Any]]:
    failures = []
    for run_id, row in shown[shown["reason"] != ""].iterrows():
        error = loaded.runs[str(run_id)].record.error
        failures.append(
            {
                "run": row["run"],
                "status": row["status"],
                "configuration": f"{row['configuration']}, seed {row['seed']}",
                "reason": row["reason"],
                "traceback": error.traceback if error else None,
                "log": f"{row['folder']}/train.log",
            }
        )
    return failures
