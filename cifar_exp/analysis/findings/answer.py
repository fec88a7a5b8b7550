"""The answer of a report as one JSON object, with the sentences that the terminal prints."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics


def answer_json(all_statistics: Sequence[GroupStatistics]) -> str:
    """An object `{"groups": [...]}` on several lines; its keys are listed in docs/formats.md."""
    answer = {"groups": [_group(statistics) for statistics in all_statistics]}
    return json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False)


def _group(statistics: GroupStatistics) -> dict[str, Any]:
    return {
        "title": statistics.group.title,
        "metric": statistics.metric.name,
        "runs": len(statistics.runs),
        "best": statistics.best,
        "findings": [asdict(finding) for finding in findings(statistics)],
        "cautions": cautions(statistics),
    }
