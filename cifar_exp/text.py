"""Values and names as text for people."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

SHOWN = 80  # characters of a value, at most


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """`; did you mean X?` for the candidate nearest to `name`, or "" if none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.6)
    return f"; did you mean {by_folded[matches[0]]}?" if matches else ""


def percent(share: float | None) -> str:
    """A fraction in percent, with two digits: 10,000 test images resolve no more."""
    return "-" if share is None else f"{100 * share:.2f} %"


def counted(number: int, noun: str) -> str:
    """`1 thread`, `2 threads`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """`48 s`, `12 min`, `3 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def format_value(value: Any) -> str:
    """A value as one would type it on the command line, cut if it is long."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except ValueError:  # an integer of thousands of digits
        text = f"a value of type {type(value).__name__}"
    text = text.replace("\n", "\\n")
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def value_as_text(value: Any) -> str:
    """A swept value as in runs.csv: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def to_json(value: Any) -> str:
    """JSON of one line a key, in which a number that is not finite is null."""
    return json.dumps(_finite(value), indent=2, default=str, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows of a table, headings first, as lines; numbers are aligned on the right."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    is_number = [all(cell[:1].isdigit() or cell in ("", "-") for cell in c[1:]) for c in columns]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in rows
    ]


def printable(text: str) -> str:
    """A text that is safe to print: control characters (escape sequences too) are spelled out."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if text.isprintable() else "".join(shown)
