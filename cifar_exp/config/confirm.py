"""The words of a command that confirms a sweep; none of them is part of a run's identity."""

from typing import Annotated

from pydantic import Field

from cifar_exp.config.fields import Integer, Nuisance, Section

SWEEP_FOLDER = "a sweep's folder, such as outputs/sweeps/NAME, or null"
Number = Annotated[Integer, Nuisance, Field(ge=1, le=1000)]


class ConfirmSection(Section):
    """Train the best configurations of a sweep on fresh seeds, as a sweep of its own."""

    sweep: Annotated[str, Nuisance, Field(min_length=1)] | None = Field(
        None, description="the sweep that selects them", json_schema_extra={"allowed": SWEEP_FOLDER}
    )
    top: Number = Field(3, description="how many of them, by mean val accuracy")
    seeds: Number = Field(5, description="on how many seeds: the lowest that the sweep did not use")
    baseline: Annotated[str, Nuisance, Field(min_length=1)] | None = Field(
        None,
        description="a configuration to train alongside them, such as 'width=16 dropout=0.0'",
        json_schema_extra={"allowed": "settings of the sweep, a run's id, or null"},
    )
