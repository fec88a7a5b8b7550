"""What the page shows of a section, as plain values for its template."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from cifar_exp.analysis.figures.registry import SavedFigure
from cifar_exp.analysis.load.runs import LoadedRuns
from cifar_exp.analysis.page.captions import CAPTIONS
from cifar_exp.analysis.page.findings import answer
from cifar_exp.analysis.page.methods import cautions, measured
from cifar_exp.analysis.page.render import as_data_uri
from cifar_exp.analysis.page.run_details import run_details
from cifar_exp.analysis.page.tables import (
    comparison_table,
    configuration_table,
    effect_table,
    interaction_table,
    run_table,
)
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

ORDER = ("completed", "running", "interrupted", "failed", "diverged", "pruned", "not begun")
MOST_RUNS = 2000  # rows of the page's table; runs.csv has all


def section_content(
    study: GroupStatistics, drawn: Sequence[SavedFigure], loaded: LoadedRuns
) -> dict[str, Any]:
    """Everything of one section; texts are escaped by the template."""
    shown = _shown(study)
    section = study.section
    return {
        "slug": section.slug,
        "title": section.title,
        "commands": section.sweep.commands if section.sweep else (),
        "counts": counts(study),
        "answer": answer(study),
        "cautions": cautions(study),
        "configurations": configuration_table(study),
        "effects": effect_table(study),
        "interactions": interaction_table(study),
        "comparisons": comparison_table(study),
        "reference": study.baseline or study.best,
        "runs": run_table(study, shown),
        "hidden_runs": len(study.runs) - len(shown),
        "details": run_details(study, shown, loaded),
        "figures": [_figure(figure) for figure in drawn if figure.png],
        "left_out": [(CAPTIONS[d.name][0], d.reason) for d in drawn if d.reason],
        "failures": _failures(shown, loaded),
        "measured": measured(study),
    }


def counts(study: GroupStatistics) -> dict[str, int]:
    """How many runs stand how, those of the sweep that have not begun among them."""
    found = Counter(study.runs["status"])
    found["not begun"] = len(study.section.unstarted)
    return {status: found[status] for status in ORDER if found[status]}


def _shown(study: GroupStatistics) -> pd.DataFrame:
    """The best runs first, then those that came to no end; not more than a page can bear."""
    is_done = study.runs["status"] == "completed"
    order = (-study.metric.sign * study.runs["value"].where(is_done)).argsort(kind="stable")
    ordered, is_done = study.runs.iloc[order], is_done.iloc[order]
    bad = ordered[~is_done].head(MOST_RUNS // 2)
    return pd.concat([ordered[is_done].head(MOST_RUNS - len(bad)), bad])


def _figure(figure: SavedFigure) -> dict[str, str]:
    assert figure.png is not None
    name, caption = CAPTIONS[figure.name]
    picture = as_data_uri(figure.png)
    return {"id": figure.name, "name": name, "caption": caption, "picture": picture}


def _failures(shown: pd.DataFrame, loaded: LoadedRuns) -> list[dict[str, Any]]:
    found = []
    for run_id, row in shown[shown["reason"] != ""].iterrows():
        error = loaded.runs[str(run_id)].record.error
        found.append(
            {
                "run": row["run"],
                "status": row["status"],
                "configuration": f"{row['configuration']}, seed {row['seed']}",
                "reason": row["reason"],
                "traceback": error.traceback if error else None,
                "log": f"{row['folder']}/train.log",
            }
        )
    return found
