"""The face of our sweeper that Hydra finds; every start of Hydra imports it."""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class GridSweeper(Sweeper):
    """Every combination once, whatever was done before."""

    def __init__(self, **_listed: Any) -> None:
        """`params` and `paired` are read from the composed config."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Make the launcher."""
        self.config, self.loader = config, hydra_context.config_loader
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Train what is missing. Ends the process with the sweep's exit code."""
        from cifar_exp.hydra_app.sweeper import sweep

        assert self.config is not None
        assert self.launcher is not None
        sweep(self.config, self.loader, self.launcher, arguments)
