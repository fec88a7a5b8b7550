"""Options of our own launchers, and a sentence on each mistake in them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError

from cifar_exp.config.fields import Integer, Number, Section, describe_allowed
from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean, format_value

PLUGINS = "hydra_plugins.cifar_exp_plugins.launcher"

Jobs = Annotated[Integer, Field(ge=1, le=1024)]
Cores = Annotated[Integer, Field(ge=1, le=1024)]
Devices = Annotated[Integer, Field(ge=0, le=64)]
Minutes = Annotated[Number, Field(gt=0, le=1_000_000)]
Gigabytes = Annotated[Number, Field(ge=0.001, le=1_000_000)]
Name = Annotated[str, Field(min_length=1)]


class LauncherOptions(Section):
    """The options under `hydra.launcher` of one of our launchers.

    `name` is that of its option, `package` what it needs beside the dependencies (an extra of the
    launcher's name installs it), `commands` what it needs on the PATH. `takes_hydra`: whether
    Hydra's main can call it, as one of Hydra's sweepers does.
    """

    name: ClassVar[str]
    package: ClassVar[str | None] = None
    commands: ClassVar[tuple[str, ...]] = ()
    takes_hydra: ClassVar[bool] = False

    @classmethod
    def target(cls) -> str:
        """The `_target_` by which it is known."""
        return f"{PLUGINS}.{cls.name.capitalize()}Launcher"


class LocalOptions(LauncherOptions):
    """This machine, a worker process for each run at a time."""

    name = "local"
    takes_hydra = True

    n_jobs: Literal["auto"] | Jobs = Field(
        "auto", description="runs at a time; auto: one per core, or jobs_per_device per GPU"
    )
    jobs_per_device: Annotated[Integer, Field(ge=1, le=64)] = Field(
        1, description="runs that share a GPU"
    )
    memory_gb: Gigabytes = Field(2.0, description="memory per run: limits n_jobs=auto on a CPU")
    timeout_min: Minutes | None = Field(
        None, description="minutes after which a run saves its state and stops; null: no limit"
    )


class SlurmOptions(LauncherOptions):
    """A SLURM cluster, a job for each run."""

    name = "slurm"
    package = "submitit"
    commands = ("sbatch", "srun", "squeue", "scancel")

    partition: Name | None = Field(None, description="partition; null: the cluster's default")
    n_jobs: Jobs = Field(16, description="runs at a time: the limit of a job array")
    cpus: Cores = Field(2, description="cores, and threads, per run")
    gpus: Devices = Field(0, description="GPUs per run")
    memory_gb: Gigabytes = Field(4.0, description="memory per run")
    timeout_min: Annotated[Integer, Field(ge=1, le=1_000_000)] = Field(
        60, description="minutes after which a run has saved its state and is queued again"
    )
    signal_delay_s: Annotated[Integer, Field(ge=1, le=65535)] = Field(
        120, description="seconds before that in which it saves; at most half of the minutes"
    )
    max_requeues: Annotated[Integer, Field(ge=0, le=1000)] = Field(
        20, description="how often a run is queued again at its time limit; preemption is free"
    )
    qos: Name | None = Field(None, description="quality of service; null: the account's default")
    account: Name | None = Field(None, description="account to charge; null: the user's default")
    constraint: Name | None = Field(None, description="features that a node must have")
    setup: tuple[str, ...] | None = Field(
        None, description="shell commands before each run, such as loading modules"
    )
    parameters: dict[str, Any] | None = Field(
        None,
        description="any other options of sbatch",
        json_schema_extra={"allowed": "keys and values, such as {nice: 10}, or null"},
    )


class RayOptions(LauncherOptions):
    """A Ray cluster, a task for each run."""

    name = "ray"
    package = "ray"

    address: Annotated[str, Field(pattern=r"^[^/\s]+:\d{1,5}$")] | None = Field(
        None,
        description="HOST:PORT of a cluster's head; null: Ray is started on this machine",
        json_schema_extra={"allowed": "HOST:PORT, such as 10.0.0.1:6379, or null"},
    )
    n_jobs: Literal["auto"] | Jobs = Field(
        "auto", description="runs at a time; auto: what the cluster's cores and GPUs allow"
    )
    cpus: Cores = Field(1, description="cores, and threads, per run")
    gpus: Annotated[Number, Field(ge=0, le=64)] = Field(
        0.0, description="GPUs per run; below 1, runs share a GPU"
    )
    retries: Annotated[Integer, Field(ge=0, le=1000)] = Field(
        3, description="how often a run goes on elsewhere when its worker or node has died"
    )
    timeout_min: Minutes | None = Field(
        None, description="minutes after which a run saves its state and stops; null: no limit"
    )


OPTIONS: tuple[type[LauncherOptions], ...] = (LocalOptions, SlurmOptions, RayOptions)


def launcher_options(section: Mapping[str, Any]) -> LauncherOptions | None:
    """The typed options of `hydra.launcher`; None for one of Hydra's launchers.

    Raises UserError with a sentence on each mistake.
    """
    target = section.get("_target_")
    found = next((options for options in OPTIONS if options.target() == target), None)
    if found is None:
        return None
    values = {key: value for key, value in section.items() if key != "_target_"}
    try:
        return found.model_validate(values)
    except ValidationError as error:
        wrong = dict.fromkeys(str(details["loc"][0]) for details in error.errors())
        raise UserError(_sentence(found, key, values[key]) for key in wrong) from error


def _sentence(options: type[LauncherOptions], key: str, value: Any) -> str:
    fields = options.model_fields
    if key not in fields:
        near = did_you_mean(key, fields) or f"; there are {', '.join(fields)}"
        return f"hydra.launcher.{key}: no such setting{near}"
    return f"hydra.launcher.{key}={format_value(value)}: must be {describe_allowed(fields[key])}"
