"""The local launcher under one of Hydra's sweepers: from overrides to job returns."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.data.registry import Loader
from cifar_exp.hydra_app.compose import Composer
from cifar_exp.hydra_app.trials import trials_of
from cifar_exp.runs.execute import identify
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import find_run
from cifar_exp.sweeps.launchers.local.executor import LocalExecutor

POLL_SECONDS = 1.0


def launch(
    options: Mapping[str, Any],
    config_loader: ConfigLoader,
    config: DictConfig,
    job_overrides: Sequence[Sequence[str]],
) -> list[JobReturn]:
    """Train the runs of these overrides; returns their outcomes in the same order.

    Raises Interrupted after a signal, when all runs are saved and stopped.
    """
    composer = Composer(config_loader, config.hydra.job.config_name)
    hydras = list(config.hydra.overrides.hydra)
    trials = trials_of(composer, [[*hydras, *overrides] for overrides in job_overrides])
    load = Loader()
    specs = [
        RunSpec(t.settings, t.label, t.overrides, run_id=identify(t.settings, _silent, load))
        for t in trials
    ]
    errors = _train(LocalOptions.model_validate(options), specs)
    return [
        _job_return(overrides, spec, errors[str(spec.run_id)])
        for overrides, spec in zip(job_overrides, specs, strict=True)
    ]


def _train(options: LocalOptions, specs: Sequence[RunSpec]) -> dict[str, Exception | None]:
    errors: dict[str, Exception | None] = {}
    needs_accelerator = any(spec.settings.trainer.device != "cpu" for spec in specs)
    with (
        LocalExecutor(options, needs_accelerator=needs_accelerator) as executor,
        stop_on_signals(),
    ):
        try:
            for spec in {spec.run_id: spec for spec in specs}.values():
                executor.submit(spec)
            while executor.live():
                errors.update(executor.poll(POLL_SECONDS))
        except BaseException:
            executor.cancel()
            raise
    return errors


def _job_return(overrides: Sequence[str], spec: RunSpec, error: Exception | None) -> JobReturn:
    if error is not None:
        return JobReturn(list(overrides), status=JobStatus.FAILED, _return_value=error)
    folder = find_run(spec.runs, str(spec.run_id))
    record = RunRecord.load(folder) if folder else None
    metric = record.metric if record else None
    return JobReturn(list(overrides), status=JobStatus.COMPLETED, _return_value=metric)


def _silent(_what: str, _done: int, _total: int) -> None:
    """Show no progress: Hydra's sweepers have no place for it."""
