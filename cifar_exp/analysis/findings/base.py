"""A finding: one claim about a comparison group, as a sentence and as numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`claim` names its kind, such as `best` or `effect`; `text` is the sentence shown.

    What it compares and how it came out is repeated as plain values where that applies: a setting's
    level or a configuration against its reference, their difference with its interval in stored
    units, and the verdict (better, worse, equivalent or undecided).
    """

    claim: str
    text: str
    setting: str | None = None
    level: str | None = None
    reference: str | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str | None = None
