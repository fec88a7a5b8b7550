"""The words of a command that pauses weak runs early; none is part of a run's id."""

from typing import Annotated, Literal

from pydantic import Field

from cifar_exp.config.fields import Integer, Nuisance, Section

Rule = Annotated[Literal["none", "asha", "median", "top_k"], Nuisance]


class PruningSection(Section):
    """Pause runs that fall behind the others of their sweep at the same epoch."""

    name: Rule = Field("none", description="the rule that pauses a run; none: every run ends")
    grace: Annotated[Integer, Nuisance, Field(ge=1, le=1_000_000)] = Field(
        1, description="epochs that every run gets"
    )
    reduction: Annotated[Integer, Nuisance, Field(ge=2, le=100)] = Field(
        3, description="asha: one run in so many goes on from a rung to the next"
    )
    top: Annotated[Integer, Nuisance, Field(ge=1, le=50_000)] = Field(
        3, description="top_k: how many configurations are trained to the end"
    )
