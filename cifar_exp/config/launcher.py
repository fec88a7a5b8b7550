"""Options of the local launcher, and a sentence on each mistake in them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from cifar_exp.config.fields import Integer, Number, Section, describe_allowed
from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean, format_value

TARGET = "hydra_plugins.cifar_exp_plugins.launcher.LocalLauncher"


class LocalOptions(Section):
    """The options under `hydra.launcher`."""

    n_jobs: Literal["auto"] | Annotated[Integer, Field(ge=1, le=1024)] = Field(
        "auto", description="runs at a time; auto: one per core, or jobs_per_device per GPU"
    )
    jobs_per_device: Annotated[Integer, Field(ge=1, le=64)] = Field(
        1, description="runs that share a GPU"
    )
    memory_gb: Annotated[Number, Field(ge=0.001, le=1_000_000)] = Field(
        2.0, description="memory per run: limits n_jobs=auto on a CPU"
    )
    timeout_min: Annotated[Number, Field(gt=0, le=1_000_000)] | None = Field(
        None, description="minutes after which a run saves its state and stops; null: no limit"
    )


def local_options(section: Mapping[str, Any]) -> LocalOptions:
    """The typed options of `hydra.launcher`. Raises UserError with a sentence on each mistake."""
    values = {key: value for key, value in section.items() if key != "_target_"}
    try:
        return LocalOptions.model_validate(values)
    except ValidationError as error:
        wrong = dict.fromkeys(str(details["loc"][0]) for details in error.errors())
        raise UserError(_sentence(key, values[key]) for key in wrong) from error


def _sentence(key: str, value: Any) -> str:
    fields = LocalOptions.model_fields
    if key not in fields:
        near = did_you_mean(key, fields) or f"; there are {', '.join(fields)}"
        return f"hydra.launcher.{key}: no such setting{near}"
    return f"hydra.launcher.{key}={format_value(value)}: must be {describe_allowed(fields[key])}"
