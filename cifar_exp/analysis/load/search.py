"""What a sweep's file says of the search that proposed its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SearchInput:
    """`sampler`: what proposed the runs; `has_cost`: whether it searched for little compute too."""

    sampler: str
    has_cost: bool


def read_search(search: Any) -> SearchInput | None:
    """From `search` of a sweep.yaml; None where that is missing or is none."""
    if not isinstance(search, Mapping) or search.get("sampler") in (None, "none"):
        return None
    return SearchInput(str(search["sampler"]), "pflop" in str(search.get("objective")).lower())
