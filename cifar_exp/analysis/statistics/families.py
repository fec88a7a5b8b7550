"""Which families of differences are claimed at which level, so that a report as a whole is honest.

A report answers several questions with the same runs. Each family of intervals (effects,
interactions, comparisons) holds together at 95 %. So that a sweep in which nothing differs yields
a claim of any kind in no more than about 5 %, only one family is primary: comparisons if a baseline
was named in advance, else effects. The others wait until any family finds something; to open the
gate themselves they must be significant at a much smaller level. As long as nothing is found, their
intervals have that level, so that interval and verdict agree. benchmarks/power.py measures it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cifar_exp.analysis.statistics.simultaneous import Differences
from cifar_exp.analysis.statistics.verdicts import ALPHA

# That open the gate; the sum of all levels may exceed 5 % a little, as the families' p values are
# correlated and effects are conservative (their strata are guarded).
GATES = {"effects": 0.01, "comparisons": 0.01, "interactions": 0.0025}


@dataclass(frozen=True)
class Families:
    """The differences of each family by name, and which one is primary.

    `repeated`: the name of a family whose differences are those of the primary one, if any: the
    same differences need no second level, and have the same intervals.
    """

    differences: Mapping[str, Differences | None]
    primary: str
    repeated: str = ""

    def alpha(self, name: str) -> float:
        """The level of a family's intervals and verdicts."""
        return ALPHA if self._is_primary(name) or self.is_open else GATES[name]

    @property
    def is_open(self) -> bool:
        """Whether any family finds a difference, the primary one at 5 %."""
        return any(
            (found.p_values < (ALPHA if self._is_primary(name) else GATES[name])).any()
            for name, found in self.differences.items()
            if found is not None
        )

    def _is_primary(self, name: str) -> bool:
        return name in (self.primary, self.repeated)
