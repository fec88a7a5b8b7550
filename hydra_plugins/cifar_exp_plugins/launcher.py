"""Our launchers, as Hydra finds them; every start of Hydra imports this module."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class LocalLauncher(Launcher):
    """One run a worker process on this machine, for Hydra's own sweepers."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,  # noqa: ARG002, workers take checked settings
        config: DictConfig,
    ) -> None:
        """Keep the config to which the jobs' overrides are applied."""
        self.hydra_context, self.config = hydra_context, config

    def launch(
        self,
        job_overrides: Sequence[Sequence[str]],
        initial_job_idx: int,  # noqa: ARG002, runs have ids, not numbers
    ) -> Sequence[JobReturn]:
        """Train the runs of these overrides; returns their outcomes in the same order."""
        from cifar_exp.hydra_app.local_launcher import launch

        return launch(self.options, self.hydra_context.config_loader, self.config, job_overrides)


class SlurmLauncher(LocalLauncher):
    """Names the options of `sweeps/launchers/slurm`; Hydra's main never calls it."""


class RayLauncher(LocalLauncher):
    """Names the options of `sweeps/launchers/ray`; Hydra's main never calls it."""
