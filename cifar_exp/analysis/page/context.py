"""What the template shows of a comparison group; js/ draws tables and charts from its `data`."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cifar_exp.analysis.figures.base import GroupFigures, PlannedFigure
from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.load.runs import LoadedRuns
from cifar_exp.analysis.page.commands import legible_command
from cifar_exp.analysis.page.confirmation import confirmation_context
from cifar_exp.analysis.page.data import group_data, shown_runs
from cifar_exp.analysis.page.methods import methods
from cifar_exp.analysis.page.paper import paper_paragraphs
from cifar_exp.analysis.page.tiles import counts, tiles
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.paused import PAUSED

MOST_FAILURES = 20  # listed on the page; runs.csv has all


def group_context(figures: GroupFigures, loaded: LoadedRuns) -> dict[str, Any]:
    """Everything that the page shows of a group; the template escapes the texts."""
    statistics = figures.data.statistics
    shown = shown_runs(statistics)
    group, data = statistics.group, group_data(statistics, shown, loaded, figures.data.progress)
    headline, *others = (finding.text for finding in findings(statistics))
    failures = _failures(shown, loaded)
    return {
        "slug": group.slug,
        "title": group.title,
        "headline": headline,
        "findings": others,
        "cautions": cautions(statistics),
        "confirmation": confirmation_context(statistics),
        "tiles": tiles(statistics),
        "runs": sum(counts(statistics).values()),
        "reference": statistics.baseline or statistics.best,
        "tables": _tables(statistics, data),
        "importance": data["importance"]["method"],
        "hidden_runs": len(statistics.runs) - len(shown),
        "failures": failures[:MOST_FAILURES],
        "hidden_failures": max(0, len(failures) - MOST_FAILURES),
        "figures": [_figure(figure) for figure in figures.planned if figure.alt],
        "skipped_figures": [(f.spec.title, f.reason) for f in figures.planned if f.reason],
        "paper": paper_paragraphs(statistics),
        "commands": _commands(statistics),
        "methods": methods(statistics),
        "data": data,
    }


def _commands(statistics: GroupStatistics) -> list[str]:
    sweep = statistics.group.sweep
    return list(dict.fromkeys(map(legible_command, sweep.commands))) if sweep else []


def _tables(statistics: GroupStatistics, data: Mapping[str, Any]) -> dict[str, int]:
    """The number of rows of each table."""
    return {
        "configurations": len(statistics.summary),
        "importance": len(data["importance"]["terms"]),
        "effects": len(statistics.effects),
        "interactions": len(statistics.interactions),
        "comparisons": len(statistics.comparisons) if _has_intervals(statistics) else 0,
        "runs": len(statistics.runs),
    }


def _has_intervals(statistics: GroupStatistics) -> bool:
    return bool(statistics.comparisons["low"].notna().any())


def _figure(figure: PlannedFigure) -> dict[str, str | None]:
    """`file` is relative to the page, without the ending."""
    spec, file = figure.spec, "/".join(["figures", figure.folder.name, figure.spec.name])
    return {"title": spec.title, "question": spec.question, "alt": figure.alt, "file": file}


def _failures(shown: pd.DataFrame, loaded: LoadedRuns) -> list[dict[str, Any]]:
    failures = []
    is_failure = (shown["reason"] != "") & (shown["status"] != PAUSED)
    for run_id, row in shown[is_failure].iterrows():
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
