"""The nearest valid name to one that was mistyped."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """`; did you mean X?` for the candidate nearest to `name`, or nothing where none is near."""
    matches = get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]}?" if matches else ""
