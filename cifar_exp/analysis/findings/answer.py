"""The answer of a report as one JSON object, with the sentences that the terminal prints."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.text import to_json


def answer_json(all_statistics: Sequence[GroupStatistics]) -> str:
    """An object `{"groups": [...]}` on several lines; its keys are listed in docs/formats.md."""
    return to_json({"groups": [_group(statistics) for statistics in all_statistics]})


def _group(statistics: GroupStatistics) -> dict[str, Any]:
    return {
        "title": statistics.group.title,
        "metric": statistics.metric.name,
        "runs": len(statistics.runs),
        "best": statistics.best,
        "findings": [asdict(finding) for finding in findings(statistics)],
        "cautions": cautions(statistics),
    }
