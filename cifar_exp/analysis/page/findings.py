"""What a group's runs show, in sentences that claim no more than its statistics."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from cifar_exp.analysis.findings.importance import importance_findings
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.significance import MOST_SEEDS

MOST_FACTORS = 3


def findings(statistics: GroupStatistics) -> list[str]:
    """What did best, what explains the differences, and the effect of each factor."""
    if not len(statistics.counted):
        return ["No completed run has a value of this metric, so there is nothing to compare."]
    return [
        *_best(statistics),
        *(finding.text for finding in importance_findings(statistics)),
        *_effects(statistics),
        *_interaction(statistics),
    ]


def finding_lines(all_statistics: Sequence[GroupStatistics]) -> Iterator[str]:
    """The findings of a report as lines for the terminal, with the titles of several groups."""
    for statistics in all_statistics:
        title = f"{statistics.group.title}: " if len(all_statistics) > 1 else ""
        for sentence in findings(statistics):
            yield f"answer   {title}{sentence}"


def _best(statistics: GroupStatistics) -> Iterator[str]:
    row = statistics.summary.iloc[0]
    metric, configurations = statistics.metric, len(statistics.evaluated)
    test = ""
    if not metric.is_on_test and not np.isnan(row["test_mean"]):
        test = f"; test accuracy {row['test_mean'] * 100:.2f} %"
    warning = " (on test: not for choosing)" if metric.is_on_test else ""
    mean = f"{metric.label} {metric.text(row['mean'])}{warning}"
    result = f"{mean}, {_interval(statistics, row)}{test}"
    if configurations == 1:
        name = row["configuration"]
        yield f"{name[0].upper()}{name[1:]}: {result}."
        return
    yield f"{row['configuration']} is the best of {configurations} configurations: {result}."
    if statistics.baseline is not None:
        yield _against_baseline(statistics)
    elif configurations > 2 or statistics.seeds < 2 or not len(statistics.effects):
        yield _against_best(statistics)  # of two, the effect of what they differ in says the same


def _interval(statistics: GroupStatistics, row: pd.Series) -> str:
    if row["n"] < 2:
        return "one seed, so no interval"
    interval = statistics.metric.interval_text(row["ci_low"], row["ci_high"])
    return f"95 % {interval} from {int(row['n'])} seeds"


def _against_best(statistics: GroupStatistics) -> str:
    table = statistics.comparisons
    similar = table[~table["is_resolved"]]
    if statistics.seeds < 2:
        return "With one seed each, no difference between configurations is certain."
    if not len(similar):
        return "All others differ significantly from it."
    closest = similar.iloc[(similar["mean"] * -statistics.metric.sign).argsort().iloc[0]]
    difference = statistics.metric.difference_text(closest["mean"])
    if len(similar) == 1:
        which = f"{closest['configuration']} does not differ significantly from it"
    else:
        which = (
            f"{len(similar)} of {len(table)} others do not differ significantly from it; the "
            f"closest is {closest['configuration']}"
        )
    return f"{which}: {difference}, {_verdict(statistics, closest)}."


def _against_baseline(statistics: GroupStatistics) -> str:
    table = statistics.comparisons
    own = table[table["configuration"] == statistics.best]
    if not len(own):
        different = int(table["is_resolved"].sum())
        return f"It is the baseline; {different} of {len(table)} others differ significantly."
    difference = statistics.metric.difference_text(own.iloc[0]["mean"])
    verdict = _verdict(statistics, own.iloc[0])
    return f"Against the baseline, {statistics.baseline}: {difference}, {verdict}."


def _effects(statistics: GroupStatistics) -> Iterator[str]:
    effects = statistics.effects
    if not len(effects):
        return
    for factor in statistics.by_importance[:MOST_FACTORS]:
        own = effects[effects["setting"] == factor.key]
        if len(own):
            yield _effect(statistics, own.loc[own["mean"].abs().idxmax()])


def _effect(statistics: GroupStatistics, row: pd.Series) -> str:
    difference = statistics.metric.difference_text(row["mean"])
    rest = [factor.name for factor in statistics.factors if factor.key != row["setting"]]
    over = f", averaged over {listed(rest)}" if row["cells"] > 1 else ""
    change = f"{row['name']} {row['level']} against {row['reference']}{over}"
    return f"{change}: {difference}, {_verdict(statistics, row)}."


def _interaction(statistics: GroupStatistics) -> Iterator[str]:
    table = statistics.interactions
    significant = table[table["is_resolved"]] if len(table) else table
    if not len(significant):
        return
    row = significant.loc[significant["mean"].abs().idxmax()]
    difference = statistics.metric.difference_text(row["mean"])
    yield (
        f"The effect of {row['name']} {row['level']} against {row['reference']} depends on "
        f"{row['other_name']}: at {row['other_level']} it differs by {difference} from that at "
        f"{row['other_reference']}, {_verdict(statistics, row)}."
    )


def _verdict(statistics: GroupStatistics, row: pd.Series) -> str:
    """`95 % [-1.1, 0.3], not significant with 3 seeds; about 12 would be needed`."""
    if row["n"] < 2:
        return "from one seed, so not significant"
    n = int(row["n"])
    interval = f"95 % {statistics.metric.interval_text(row['low'], row['high'])}"
    if np.isnan(row["p"]):
        return f"exactly the same with each of {n} seeds, so there is no interval"
    if row["is_resolved"]:
        return f"{interval}, significant with {n} seeds ({p_text(row['p_holm'])})"
    return f"{interval}, not significant with {n} seeds; {needed_text(row['needed'])}"


def needed_text(needed: float) -> str:
    """How many seeds would detect a difference of this size: `about 12 would be needed`."""
    number = f"more than {MOST_SEEDS:,}" if np.isinf(needed) else f"about {int(needed)}"
    return f"{number} would be needed"


def p_text(p: float) -> str:
    """`p = 0.012`, or `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
