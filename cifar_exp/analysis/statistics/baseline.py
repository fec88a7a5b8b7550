"""The configuration that a user names as the one to hold others against."""

import re
from collections.abc import Sequence

import pandas as pd

from cifar_exp.analysis.statistics.factors import DIGITS, Factor, number_of, shortened
from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean

RUN_ID = re.compile(r"[0-9a-f]{10}")


def find_baseline(text: str, counted: pd.DataFrame, settings: Sequence[Factor]) -> str | None:
    """The configuration that `text` names: a run's id or folder, or settings as `width=16 lr=0.1`.

    None where it has no completed run here. Raises UserError where the text cannot be read, names
    a setting that did not vary, or fits several configurations.
    """
    run_id = text.rstrip("/").rpartition("/")[2].rpartition("-")[2]
    if "=" not in text and RUN_ID.fullmatch(run_id):
        return str(counted.loc[run_id, "configuration"]) if run_id in counted.index else None
    chosen = counted
    for token in re.split(r"[\s,]+(?=[\w.]+=)", text.strip()):
        setting, level = _read(token, text, settings)
        chosen = chosen[chosen[setting.key] == level]
    names = sorted(set(chosen["configuration"]))
    if len(names) > 1:
        raise UserError(
            f"--baseline={text!r}: fits {len(names)} configurations; one must be named, "
            f"as {names[0]!r}"
        )
    return names[0] if names else None


def _read(token: str, text: str, settings: Sequence[Factor]) -> tuple[Factor, str]:
    name, equals, value = token.partition("=")
    known = {s.name: s for s in settings} | {s.key: s for s in settings}
    if not equals:
        raise UserError(
            f"--baseline={text!r}: must be a run's id or folder, or settings as 'width=16 lr=0.1'"
        )
    leader = next((s for s in settings if name in s.along), None)
    if leader is not None:
        raise UserError(
            f"--baseline={text!r}: {name} changed only together with {leader.name}: name that"
        )
    if name not in known:
        varied = ", ".join(s.name for s in settings) or "none"
        raise UserError(
            f"--baseline={text!r}: {name} did not vary here (what did: {varied})"
            f"{did_you_mean(name, known)}"
        )
    setting = known[name]
    number = number_of(value)
    if number is None:
        return setting, value
    asked = {number, *(number_of(shortened(value, digits)) for digits in DIGITS)}
    return setting, next((level for level in setting.levels if number_of(level) in asked), value)
