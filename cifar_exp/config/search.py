"""The words of a command that searches a space instead of a grid; none is part of a run's id."""

from typing import Annotated, Literal

from pydantic import Field

from cifar_exp.config.fields import Flag, Integer, Nuisance, Number, Section

Count = Annotated[Integer, Nuisance, Field(ge=1, le=50_000)]
Budget = Annotated[Number, Nuisance, Field(gt=0, le=1e9)]
Sampler = Annotated[Literal["none", "random", "tpe", "cmaes", "quasirandom"], Nuisance]
Objective = Annotated[Literal["accuracy", "accuracy_and_pflop"], Nuisance]


class SearchSection(Section):
    """Propose trials from intervals, ranges and choices."""

    name: Sampler = Field("none", description="the sampler that proposes trials; none: a grid")
    runs: Count | None = Field(None, description="runs of the search, each seed counted")
    seeds: Count = Field(1, description="seeds of a configuration that keeps up")
    seed: Annotated[Integer, Nuisance, Field(ge=0, lt=2**32)] = Field(
        0, description="seed of the sampler"
    )
    budget_minutes: Budget | None = Field(
        None, description="minutes of training, all workers together"
    )
    budget_pflop: Budget | None = Field(None, description="PFLOP of training, all workers together")
    objective: Objective = Field(
        "accuracy",
        description="what is searched for; accuracy_and_pflop: the best accuracy at every cost",
    )
    near: Annotated[str, Nuisance, Field(min_length=1)] | None = Field(
        None,
        description="what you believe to be near the best, such as 'optimizer.lr=0.1'",
        json_schema_extra={"allowed": "settings that are searched, or null"},
    )
    stop_at_noise: Annotated[Flag, Nuisance] = Field(
        False, description="stop when more configurations would gain less than seeds differ by"
    )

    @property
    def minimizes_pflop(self) -> bool:
        """Whether PFLOP is an objective beside accuracy."""
        return self.objective == "accuracy_and_pflop"
