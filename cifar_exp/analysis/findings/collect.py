"""All findings of a group in the order of a reader's questions."""

from collections.abc import Iterator, Sequence

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.best import best_findings
from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.completion import completion_findings
from cifar_exp.analysis.findings.confirmed import confirmed_findings
from cifar_exp.analysis.findings.effects import effect_findings, interaction_findings
from cifar_exp.analysis.findings.headline import headline
from cifar_exp.analysis.findings.importance import early_findings, importance_findings
from cifar_exp.analysis.findings.price import price_findings
from cifar_exp.analysis.findings.regions import own_best_findings, region_findings
from cifar_exp.analysis.findings.resolution import resolution_findings
from cifar_exp.analysis.findings.tradeoff import tradeoff_findings
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

NOTHING = "No completed run has a value of this metric, so there is nothing to compare."


def findings(statistics: GroupStatistics) -> list[Finding]:
    """The headline, then what did best, what each factor does, and what the runs cannot say."""
    if not len(statistics.counted):
        return [Finding("headline", NOTHING), *completion_findings(statistics)]
    return [
        Finding("headline", headline(statistics)),
        *best_findings(statistics),
        *confirmed_findings(statistics),
        *tradeoff_findings(statistics),
        *completion_findings(statistics),
        *([] if statistics.is_confirming else _setting_findings(statistics)),
        *resolution_findings(statistics),
    ]


def _setting_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    yield from importance_findings(statistics)
    yield from early_findings(statistics)
    yield from region_findings(statistics)
    yield from own_best_findings(statistics)
    yield from effect_findings(statistics)
    yield from interaction_findings(statistics)
    yield from price_findings(statistics)


def answer_lines(all_statistics: Sequence[GroupStatistics]) -> Iterator[str]:
    """Findings and cautions as lines for the terminal, with the titles of several groups."""
    for statistics in all_statistics:
        title = f"{statistics.group.title}: " if len(all_statistics) > 1 else ""
        for finding in findings(statistics):
            yield f"answer   {title}{finding.text}"
        for caution in cautions(statistics):
            yield f"caution  {title}{caution}"
