"""What did best, what else may be the best, and how far selection flatters it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.completion import completion_note
from cifar_exp.analysis.findings.verdict import compared, verdict_text
from cifar_exp.analysis.findings.words import amount, interval, listed
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.surrogate import Surrogate

MOST_NAMED = 5
NOTABLE = 0.1  # of the noise between seeds: a smaller change when a seed is left out is not shown


def best_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The best configuration, its difference from the baseline, and the candidates."""
    row = statistics.summary.iloc[0]
    yield Finding(
        "best",
        _best(statistics, row),
        level=str(row["configuration"]),
        low=_number(row["ci_low"]),
        high=_number(row["ci_high"]),
    )
    if len(statistics.evaluated) < 2:
        return
    if statistics.baseline is not None:
        yield from _against_baseline(statistics)
    else:
        yield from _candidates(statistics)
    yield from _honest(statistics)
    yield from _expected(statistics)


def _best(statistics: GroupStatistics, row: pd.Series) -> str:
    metric, configurations = statistics.metric, len(statistics.evaluated)
    name = str(row["configuration"])
    of_all = f"{configurations}{' trained to the end' if len(statistics.paused.runs) else ''}"
    subject = f"{name[0].upper()}{name[1:]}" if configurations == 1 else f"Best of {of_all}"
    result = f"{metric.label} {metric.text(row['mean'])}"
    parts = [f"{subject}: {result}" if configurations == 1 else f"{subject}: {name}, {result}"]
    parts.append(completion_note(statistics, name))
    parts.append(interval(metric, row["ci_low"], row["ci_high"]) or "no interval")
    parts.append(f"{int(row['n'])} seed{'s' if row['n'] > 1 else ''}")
    text = ", ".join(part for part in parts if part)
    if metric.is_on_test:
        return f"{text} (on test: not for choosing)."
    if not np.isnan(row["test_mean"]):
        text += f"; test accuracy {row['test_mean'] * 100:.2f} %"
    return f"{text}."


def _candidates(statistics: GroupStatistics) -> Iterator[Finding]:
    names, total = statistics.candidates, len(statistics.evaluated)
    if not _has_error(statistics):
        if statistics.seeds < 2:
            text = "With one seed each, the runs cannot show which configuration is the best."
            yield Finding("candidates", text, verdict="undecided")
        elif np.allclose(statistics.evaluated["mean"], statistics.evaluated["mean"].iloc[0]):
            which = "Both" if total == 2 else f"All {total}"
            yield Finding("candidates", f"{which} have the same mean.", verdict="undecided")
        return
    if len(names) == 1:
        yield Finding("candidates", _alone(statistics))
    elif len(names) == total:
        which = f"Any of the {total} may be the best: their differences are"
        if total == 2:
            which = "Either may be the best: their difference is"
        text = f"{which} within the noise."
        yield Finding("candidates", text, verdict="undecided")
    else:
        shown = names if len(names) <= MOST_NAMED else names[:MOST_NAMED]
        more = "" if len(shown) == len(names) else f", and {len(names) - len(shown)} more"
        which = "Either of these" if len(names) == 2 else f"Any of these {len(names)}"
        text = f"{which} may be the best: {', '.join(shown)}{more}."
        yield Finding("candidates", text, verdict="undecided")


def _alone(statistics: GroupStatistics) -> str:
    table = statistics.comparisons
    similar = table.loc[~table["is_significant"].astype(bool), "configuration"]
    if not len(similar):
        others = "All others are" if len(table) > 1 else "The other is"
        # with one seed each, the scatter is what an additive model leaves
        condition = ", if the settings do not interact" if statistics.seeds == 1 else ""
        return f"{others} significantly worse{condition}."
    if len(table) == 1:
        return "The other is unlikely to be the best, though it does not differ significantly."
    count = f"{len(similar)} of the {len(table)} do" if len(similar) > 1 else "one does"
    return f"No other is likely to be the best, though {count} not differ significantly from it."


def _has_error(statistics: GroupStatistics) -> bool:
    return bool(statistics.comparisons["low"].notna().any())


def _against_baseline(statistics: GroupStatistics) -> Iterator[Finding]:
    table = statistics.comparisons
    own = table[table["configuration"] == statistics.best]
    if not len(own):
        different = int(table["is_significant"].sum())
        text = (
            f"The best is the baseline; {different} of the {len(table)} others are significantly "
            "worse."
            if different
            else "The best is the baseline, and no other differs significantly from it."
        )
        yield Finding("candidates", text, reference=statistics.baseline)
        return
    row = own.iloc[0]
    text = f"Against the baseline, {statistics.baseline}: {verdict_text(statistics, row)}."
    yield compared("candidates", text, row, level=str(row["configuration"]))
    better = table[table["is_significant"] & (table["mean"] * statistics.metric.sign > 0)]
    if len(better) > 1:
        others = [str(name) for name in better["configuration"][:MOST_NAMED]]
        text = f"{len(better)} configurations beat the baseline: {listed(others)}."
        yield Finding("candidates", text, reference=statistics.baseline)


def _honest(statistics: GroupStatistics) -> Iterator[Finding]:
    """The best without its luck, where choosing it flattered it noticeably."""
    metric, value = statistics.metric, statistics.honest_best
    naive = float(statistics.summary["mean"].iloc[0])
    flattery = metric.sign * (naive - value)
    if np.isnan(value) or not flattery > NOTABLE * statistics.noise[0]:
        return
    text = (
        "Choosing the best by its own runs flatters it: chosen on all seeds but one and scored on "
        f"that one, it reaches {metric.text(value)} ({amount(metric, flattery)} {_worse(metric)})."
    )
    yield Finding("honest_best", text, difference=value - naive)


def _expected(statistics: GroupStatistics) -> Iterator[Finding]:
    """The best of a one-seed search without its luck, as the model of all runs expects it."""
    metric, model = statistics.metric, statistics.surrogate
    if statistics.seeds > 1 or not isinstance(model, Surrogate):
        return
    row = statistics.summary.iloc[0]
    value = model.expected({factor.key: str(row[factor.key]) for factor in model.factors})
    flattery = metric.sign * (float(row["mean"]) - value)
    if flattery > 0:
        text = (
            f"Choosing the best of {len(statistics.evaluated)} single runs flatters it: "
            f"{model.description} predicts {metric.text(value)} ({amount(metric, flattery)} "
            f"{_worse(metric)})."
        )
        yield Finding("honest_best", text, difference=value - float(row["mean"]))


def _worse(metric: Metric) -> str:
    return "lower" if metric.is_higher_better else "higher"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
