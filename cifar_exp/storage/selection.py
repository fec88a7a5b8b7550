"""What sweep.yaml says of a sweep that confirms another: which configurations, selected by what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class SelectedConfiguration:
    """A configuration, by the name that it had in the report of the selecting sweep.

    `rank` and `mean` (of the metric, as stored) are those on the runs with the ids `selected_on`;
    `confirmed_on` are the ids of its runs with fresh seeds.
    """

    configuration: str
    rank: int
    mean: float
    selected_on: list[str]
    confirmed_on: list[str]

    def is_same(self, other: "SelectedConfiguration") -> bool:
        """Whether both are one configuration: its name changes if another setting is swept."""
        return not set(self.selected_on).isdisjoint(other.selected_on)

    def with_fresh(self, run_ids: Iterable[str]) -> "SelectedConfiguration":
        """The same, confirmed on these runs too."""
        return replace(self, confirmed_on=list(dict.fromkeys([*self.confirmed_on, *run_ids])))


@dataclass(frozen=True)
class Selection:
    """What the sweep of this name `selected`: its best, out of its `configurations`, by `metric`.

    `baselines` were named by the user, not selected.
    """

    sweep: str
    metric: str
    configurations: int
    selected: list[SelectedConfiguration]
    baselines: list[SelectedConfiguration] = field(default_factory=list)

    @property
    def all(self) -> Sequence[SelectedConfiguration]:
        """The selected configurations, the best first, then the baselines."""
        return [*self.selected, *self.baselines]

    def replaced(self, by: Sequence[SelectedConfiguration]) -> "Selection":
        """The same with these in the place of what each is the same as."""
        selected, baselines = (
            [next((new for new in by if new.is_same(old)), old) for old in listed]
            for listed in (self.selected, self.baselines)
        )
        return replace(self, selected=selected, baselines=baselines)


def confirming_name(sweep: str) -> str:
    """The name of the sweep that confirms another."""
    return f"{sweep}-confirm"
