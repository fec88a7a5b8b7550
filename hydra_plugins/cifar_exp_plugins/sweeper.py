"""The sweeper that Hydra finds; every start of Hydra imports this module."""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class GridSweeper(Sweeper):
    """Trains every combination once, whatever was trained before."""

    def __init__(self, **_listed: Any) -> None:
        """`params` and `paired` are read from the composed config."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Make the launcher. `task_function` is a PlannedSweep."""
        from cifar_exp.hydra_app.task import train_trial

        self.planned: Any = task_function
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=train_trial, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:  # noqa: ARG002, the plan has them checked
        """Train what is missing. Ends the process with the sweep's exit code."""
        from cifar_exp.hydra_app.sweeper import run_planned

        assert self.launcher is not None
        assert self.config is not None
        run_planned(self.planned, self.launcher, self.config)
