"""How far each setting moves the metric, in words."""

from collections.abc import Iterator

import pandas as pd

from cifar_exp.analysis.findings.base import Finding
from cifar_exp.analysis.findings.words import amount, listed
from cifar_exp.analysis.statistics.early import METRIC
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.analysis.statistics.metric import METRICS, Metric
from cifar_exp.analysis.statistics.regions import is_drawn
from cifar_exp.analysis.statistics.surrogate import Surrogate

MOST_FACTORS = 4
SMALLEST_SHARE = 0.005  # of a setting that a surrogate names; smaller ones are only in the table


def importance_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The range of each setting that matters; nothing if only one setting varies.

    On a full grid these are the settings with a significant effect, with one seed each all of them;
    otherwise those that the surrogate gives a share of the variance. Ranges are averaged over the
    other settings, so those that swap places with another are left out: see `Crossing`.
    """
    found = statistics.importance
    if not isinstance(found, Importance):
        if len(statistics.factors) > 1 and len(statistics.counted):
            yield Finding(
                "importance", f"The importance of the settings cannot be estimated: {found}."
            )
        return
    terms = found.terms[found.terms["order"] == 1].sort_values("range", ascending=False)
    misleading = [f.name for f in statistics.factors if f.key in statistics.misleading]
    terms = terms[~terms["term"].isin(misleading)]
    shown = terms[_is_named(statistics, found, terms)].head(MOST_FACTORS)
    if len(statistics.varied) > 1 and len(shown):
        yield Finding("importance", _sentence(statistics, found, shown))


def _is_named(statistics: GroupStatistics, found: Importance, terms: pd.DataFrame) -> pd.Series:
    if found.is_estimated:
        return terms["share"] >= SMALLEST_SHARE
    effects = statistics.effects
    if statistics.seeds < 2 or not len(effects):
        return terms["range"] > 0
    return terms["term"].isin(effects.loc[effects["is_significant"].astype(bool), "name"])


def early_findings(statistics: GroupStatistics) -> Iterator[Finding]:
    """The same at an early epoch that paused runs reached too, so that no value is missing."""
    early = statistics.early_importance
    if early is None:
        return
    terms = early.importance.terms
    own = terms[(terms["order"] == 1) & (terms["share"] >= SMALLEST_SHARE)]
    shown = own.sort_values("range", ascending=False).head(MOST_FACTORS)
    if len(shown):
        claim = f"{_claim(METRICS[METRIC], shown)}{_basis(early.importance)}"
        text = f"After epoch {early.epoch}, with the paused runs, {claim}"
        yield Finding("importance", f"{text}; what matters early may not in the end.")


def _claim(metric: Metric, terms: pd.DataFrame) -> str:
    """`lr moves the val accuracy by 20.1 points and width by 9.7`."""
    ranges = [amount(metric, value) for value in terms["range"]]
    names = terms["term"].tolist()
    first = f"{names[0]} moves the {metric.label} by {ranges[0]}"
    others = [
        f"{name} by {size.split()[0]}" for name, size in zip(names[1:], ranges[1:], strict=True)
    ]
    return listed([first, *others])


def _sentence(statistics: GroupStatistics, found: Importance, terms: pd.DataFrame) -> str:
    claim = _claim(statistics.metric, terms)
    if not found.is_estimated:
        seeds = ", with one seed each" if statistics.seeds < 2 else ""
        return f"Over these levels{seeds}, {claim}."
    return f"Over {_what(statistics)}, {claim}{_basis(found)}."


def _basis(found: Importance) -> str:
    if not found.is_estimated:
        return ""
    return f", as estimated by {found.method} (held-out R2 {found.score:.2f})"


def _what(statistics: GroupStatistics) -> str:
    """`the values drawn`, as in a random search, or `these levels`, as in a fraction of a grid."""
    model = statistics.surrogate
    assert isinstance(model, Surrogate)
    return "the values drawn" if any(is_drawn(model, f) for f in model.factors) else "these levels"
