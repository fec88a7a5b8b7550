"""Which differences these runs could detect, and which more seeds would."""

from collections.abc import Iterator

import numpy as np

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.words import amount, worth_text
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.resolution import MOST_SEEDS

MORE = (3, 5, 10)  # seeds that a reader may think of


def resolution_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The difference between two configurations that these and more seeds detect.

    Only where something is undecided: the numbers come from the scatter, not from any difference.
    """
    table = statistics.resolution
    comparisons = statistics.comparisons
    if not len(table) or not (comparisons["verdict"] == "undecided").any():
        return
    metric, seeds = statistics.metric, int(statistics.evaluated["n"].min())
    if seeds < 2 or comparisons["low"].isna().all():
        return
    now = statistics.resolvable(seeds)
    text = (
        f"With {seeds} seeds, a true difference of {amount(metric, now)} between two "
        "configurations is detected with 80 % power"
    )
    more = next((n for n in MORE if n > seeds), None)
    if statistics.worth is not None:
        text += f"; {_for_worth(statistics)}"
    elif more is not None:
        text += f"; with {more} seeds, one of {amount(metric, statistics.resolvable(more))}"
    yield Finding("resolution", f"{text}.")


def _for_worth(statistics: GroupStatistics) -> str:
    assert statistics.worth is not None
    needed = statistics.seeds_for(statistics.worth)
    number = f"more than {MOST_SEEDS:,}" if np.isinf(needed) else f"{int(needed)}"
    return f"one of {worth_text(statistics)} would take {number} seeds"
