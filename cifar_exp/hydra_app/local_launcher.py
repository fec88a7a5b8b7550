"""From Hydra's overrides to runs on workers, and from their ends to what Hydra expects."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.data.registry import Loader
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.hydra_app.compose import Composer
from cifar_exp.hydra_app.trials import trials_of
from cifar_exp.runs.execute import identify
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.storage.run_state import fail_dead_run
from cifar_exp.sweeps.launchers.local.pool import run_all
from cifar_exp.sweeps.launchers.local.slots import available_cores, divide, total_memory_gb
from cifar_exp.sweeps.launchers.local.worker import WorkerResult


class RunStoppedError(Exception):
    """A worker came to no end with its run; the message says why."""


ERRORS: Mapping[str, type[Exception]] = {
    "mistake": UserError,
    "outside": EnvironmentFailure,
    "held": RunLockedError,
}


def launch(
    options: Mapping[str, Any],
    config_loader: ConfigLoader,
    config: DictConfig,
    job_overrides: Sequence[Sequence[str]],
) -> list[JobReturn]:
    """Make the runs of these overrides; returns their ends in the same order.

    Raises Interrupted after a signal, when all runs have saved and stopped.
    """
    settings = LocalOptions.model_validate(options)
    compose = Composer(config_loader, config.hydra.job.config_name)
    about_hydra = list(config.hydra.overrides.hydra)
    trials = trials_of(compose, [[*about_hydra, *overrides] for overrides in job_overrides])
    limit = None if settings.timeout_min is None else 60 * settings.timeout_min
    specs = [RunSpec(c.settings, c.label, c.overrides, time_limit=limit) for c in trials]
    returns = [
        JobReturn(list(o), status=JobStatus.FAILED, _return_value=RunStoppedError("not begun"))
        for o in job_overrides
    ]

    load = Loader()

    def told(index: int, ended: WorkerResult) -> None:
        if ended.kind == "killed":
            spec = specs[index]
            fail_dead_run(spec.runs, identify(spec.settings, _silent, load), ended.message)
        _fill(returns[index], ended)

    division = partial(divide, settings, cores=available_cores(), memory_gb=total_memory_gb())
    run_all(specs, division, told)
    return returns


def _fill(job: JobReturn, ended: WorkerResult) -> None:
    if ended.kind == "ended":
        job.status, job.return_value = JobStatus.COMPLETED, ended.metric
    else:
        error = ERRORS.get(ended.kind, RunStoppedError)
        job.status, job.return_value = JobStatus.FAILED, error(ended.message)


def _silent(_what: str, _done: int, _total: int) -> None:
    """Reading images is told when the sweep begins, not for each run."""
