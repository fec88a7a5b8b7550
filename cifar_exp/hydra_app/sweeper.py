"""A planned sweep in Hydra's main, through one of Hydra's launchers."""

from typing import NoReturn

from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from cifar_exp.errors import EnvironmentFailure, Interrupted, print_error
from cifar_exp.hydra_app.hydra_launcher import HydraExecutor
from cifar_exp.hydra_app.sweep_report import end_of
from cifar_exp.hydra_app.task import PlannedSweep
from cifar_exp.sweeps.sweep import Sweep


def run_planned(planned: PlannedSweep, launcher: Launcher, config: DictConfig) -> NoReturn:
    """Train what is missing. Ends Hydra's main by SystemExit with the exit code."""
    section = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    assert isinstance(section, dict)
    executor = HydraExecutor(launcher, {str(key): value for key, value in section.items()})
    try:
        code = Sweep(planned.plan, executor, planned.command, end_of(planned.plan)).run()
    except EnvironmentFailure as error:  # Hydra would print a traceback
        code = print_error(error)
    except Interrupted as interruption:
        code = interruption.exit_code
    raise SystemExit(code)
