"""What a section's runs say, in sentences that claim no more than its statistics."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.significance import MOST_SEEDS

MOST_SETTINGS = 3
NO_SHARE = "No setting's share of the differences between configurations is told from chance."
MENTIONED = 0.005  # a smaller share is left to the table


def answer(study: GroupStatistics) -> list[str]:
    """The answer: what did best, what explains the differences, what each change does."""
    if not len(study.selected):
        return ["No run is completed with a figure to judge it by: there is nothing to compare."]
    return [*_best(study), *_importance(study), *_effects(study), *_interaction(study)]


def answer_lines(studies: Sequence[GroupStatistics]) -> Iterator[str]:
    """The answers of a report as a command tells them, with their sections' titles."""
    for study in studies:
        name = f"{study.section.title}: " if len(studies) > 1 else ""
        for sentence in answer(study):
            yield f"answer   {name}{sentence}"


def _best(study: GroupStatistics) -> Iterator[str]:
    row = study.summary.iloc[0]
    metric, configurations = study.metric, len(study.known)
    test = ""
    if not metric.is_on_test and not np.isnan(row["test_mean"]):
        test = f"; test accuracy {row['test_mean'] * 100:.2f} %"
    chosen = " (read on test: not for choosing)" if metric.is_on_test else ""
    figures = f"{metric.label} {metric.text(row['mean'])}{chosen}, {_interval(study, row)}{test}"
    if configurations == 1:
        told = row["configuration"]
        yield f"{told[0].upper()}{told[1:]}: {figures}."
        return
    yield f"{row['configuration']} did best of {configurations} configurations: {figures}."
    if study.baseline is not None:
        yield _against_baseline(study)
    elif configurations > 2 or study.seeds < 2 or not len(study.effects):
        yield _against_best(study)  # of two, the effect of what they differ in says the same


def _interval(study: GroupStatistics, row: pd.Series) -> str:
    if row["n"] < 2:
        return "one seed, so no interval"
    interval = study.metric.interval_text(row["ci_low"], row["ci_high"])
    return f"95 % {interval} from {int(row['n'])} seeds"


def _against_best(study: GroupStatistics) -> str:
    table = study.comparisons
    open_ones = table[~table["is_resolved"]]
    if study.seeds < 2:
        return "One seed each tells no configuration from another for certain."
    if not len(open_ones):
        return "All others are told apart from it."
    closest = open_ones.iloc[(open_ones["mean"] * -study.metric.sign).argsort().iloc[0]]
    told = study.metric.difference_text(closest["mean"])
    if len(open_ones) == 1:
        which = f"{closest['configuration']} is not told apart from it"
    else:
        which = (
            f"{len(open_ones)} of {len(table)} others are not told apart from it; the closest is "
            f"{closest['configuration']}"
        )
    return f"{which}: {told}, {_verdict(study, closest)}."


def _against_baseline(study: GroupStatistics) -> str:
    table = study.comparisons
    own = table[table["configuration"] == study.best]
    if not len(own):
        apart = int(table["is_resolved"].sum())
        return f"It is the baseline; {apart} of {len(table)} others are told apart from it."
    told = study.metric.difference_text(own.iloc[0]["mean"])
    return f"Against the baseline, {study.baseline}: {told}, {_verdict(study, own.iloc[0])}."


def _importance(study: GroupStatistics) -> Iterator[str]:
    found = study.importance
    if not isinstance(found, Importance):
        if len(study.settings) > 1:
            yield f"How much each setting explains cannot be said: {found}."
        return
    if found.terms["order"].eq(1).sum() < 2:
        return  # one setting explains all there is
    is_tested = found.terms["p"].notna().any()
    terms = found.terms[found.terms["is_resolved"] if is_tested else found.terms["share"] > 0]
    terms = terms[terms["share"] >= MENTIONED]
    yield _shares(terms, found) if len(terms) else NO_SHARE
    if found.warning:
        yield f"Beware: {found.warning}."


def _shares(terms: pd.DataFrame, found: Importance) -> str:
    first, *others = zip(terms["term"], terms["share"].map(_percent), strict=True)
    parts = [f"{first[0]} explains {first[1]}", *(f"{term} {share}" for term, share in others)]
    noise = float(found.terms["noise_share"].sum())  # NaN counts as none
    chance = f"; chance alone would give {_percent(min(noise, 1.0))}" if noise > 0 else ""
    by = f" (by {found.method})" if found.is_estimated else ""
    return f"Of the differences between configurations, {_listed(parts)}{by}{chance}."


def _effects(study: GroupStatistics) -> Iterator[str]:
    effects = study.effects
    if not len(effects):
        return
    for setting in study.by_weight[:MOST_SETTINGS]:
        own = effects[effects["setting"] == setting.key]
        if len(own):
            yield _effect(study, own.loc[own["mean"].abs().idxmax()])


def _effect(study: GroupStatistics, row: pd.Series) -> str:
    told = study.metric.difference_text(row["mean"])
    rest = [setting.name for setting in study.settings if setting.key != row["setting"]]
    over = f", on average over {_listed(rest)}" if row["cells"] > 1 else ""
    change = f"{row['name']} {row['level']} against {row['reference']}{over}"
    return f"{change}: {told}, {_verdict(study, row)}."


def _interaction(study: GroupStatistics) -> Iterator[str]:
    table = study.interactions
    resolved = table[table["is_resolved"]] if len(table) else table
    if not len(resolved):
        return
    row = resolved.loc[resolved["mean"].abs().idxmax()]
    told = study.metric.difference_text(row["mean"])
    yield (
        f"The effect of {row['name']} {row['level']} against {row['reference']} depends on "
        f"{row['other_name']}: at {row['other_level']} it differs by {told} from that at "
        f"{row['other_reference']}, {_verdict(study, row)}."
    )


def _verdict(study: GroupStatistics, row: pd.Series) -> str:
    """`95 % [-1.1, 0.3], not resolved with 3 seeds; about 12 would`."""
    if row["n"] < 2:
        return "from one seed, so not resolved"
    n, interval = int(row["n"]), f"95 % {study.metric.interval_text(row['low'], row['high'])}"
    if np.isnan(row["p"]):
        return f"the same to the last digit with {n} seeds, so without an interval"
    if row["is_resolved"]:
        return f"{interval}, resolved with {n} seeds ({p_text(row['p_holm'])})"
    return f"{interval}, not resolved with {n} seeds{needed_text(row['needed'])}"


def needed_text(needed: float) -> str:
    """`; about 12 would`: so many seeds would resolve a difference of this size."""
    if np.isinf(needed):
        return f"; more than {MOST_SEEDS:,} would be needed"
    return f"; about {int(needed)} would"


def p_text(p: float) -> str:
    """`p = 0.012`, or `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.1 else f"{share * 100:.1f} %"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
