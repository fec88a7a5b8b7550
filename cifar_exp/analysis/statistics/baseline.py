"""The configuration that a user names as the baseline of all comparisons."""

import re
from collections.abc import Sequence

import pandas as pd

from cifar_exp.analysis.statistics.factors import DIGITS, Factor, parse_number, shorten
from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean

RUN_ID = re.compile(r"[0-9a-f]{10}")


def find_baseline(text: str, counted: pd.DataFrame, factors: Sequence[Factor]) -> str | None:
    """The configuration that `text` names: a run's id or folder, or settings as `width=16 lr=0.1`.

    None if no completed run here matches. Raises UserError if the text cannot be read, names a
    setting that did not vary, or matches several configurations.
    """
    run_id = text.rstrip("/").rpartition("/")[2].rpartition("-")[2]
    if "=" not in text and RUN_ID.fullmatch(run_id):
        return str(counted.loc[run_id, "configuration"]) if run_id in counted.index else None
    matching = counted
    for token in re.split(r"[\s,]+(?=[\w.]+=)", text.strip()):
        factor, level = _parse(token, text, factors)
        matching = matching[matching[factor.key] == level]
    names = sorted(set(matching["configuration"]))
    if len(names) > 1:
        raise UserError(
            f"--baseline={text!r}: matches {len(names)} configurations; name one of them in full, "
            f"such as {names[0]!r}"
        )
    return names[0] if names else None


def _parse(token: str, text: str, factors: Sequence[Factor]) -> tuple[Factor, str]:
    name, equals, value = token.partition("=")
    by_name = {f.name: f for f in factors} | {f.key: f for f in factors}
    if not equals:
        raise UserError(
            f"--baseline={text!r}: must be a run's id or folder, or settings such as "
            "'width=16 lr=0.1'"
        )
    leader = next((f for f in factors if name in f.aliased), None)
    if leader is not None:
        raise UserError(
            f"--baseline={text!r}: {name} changed only together with {leader.name}; "
            f"use {leader.name}"
        )
    if name not in by_name:
        varied = ", ".join(f.name for f in factors) or "nothing"
        raise UserError(
            f"--baseline={text!r}: {name} did not vary here (what varied: {varied})"
            f"{did_you_mean(name, by_name)}"
        )
    factor = by_name[name]
    return factor, _level(factor, value)


def _level(factor: Factor, value: str) -> str:
    """The factor's level that equals the value, exactly or as levels are shown; else the value."""
    number = parse_number(value)
    if number is None:
        return value
    same = {number, *(parse_number(shorten(value, digits)) for digits in DIGITS)}
    return next((level for level in factor.levels if parse_number(level) in same), value)
