"""Hydra's main with our task: for --cfg and --info, and for Hydra's own sweepers and launchers."""

import sys
from dataclasses import replace
from tempfile import TemporaryDirectory

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import TaskFunction
from omegaconf import DictConfig

from cifar_exp.config.validation import validate
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.hydra_app.command import Command
from cifar_exp.hydra_app.compose import CONFIG_NAME, conf_folder, settings_tree
from cifar_exp.runs.spec import RunResult, RunSpec
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.sweeps.plan import Plan


def run_hydra(command: Command, task: TaskFunction, *overrides: str) -> None:
    """Let Hydra's main compose and call `task`, once or through its sweeper and launcher.

    `overrides` are added to those of the command.
    """
    sys.argv[1:] = [*command.hydra_arguments(), *overrides]
    hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name=CONFIG_NAME)(task)()


def run_foreign_sweep(command: Command) -> None:
    """Let one of Hydra's own sweepers run the command; what it writes itself is not kept."""
    with TemporaryDirectory() as folder:
        run_hydra(command, train_trial, f"hydra.sweep.dir='{folder}'")


def train_trial(config: DictConfig) -> float | None:
    """Train the run of a composed config, or the rest of it; returns the metric it is ranked by.

    It writes to its log only: the sweep shows the state of all runs. Raises as
    `runs.execute.execute` does. The outcome is recorded in the run's folder.
    """
    from cifar_exp.runs.execute import execute

    return execute(replace(_spec(config), is_silent=True)).record.metric


class PlannedSweep:
    """The task of a sweep through one of Hydra's launchers; takes the plan to our sweeper."""

    def __init__(self, plan: Plan, command: str) -> None:
        self.plan, self.command = plan, command

    def __call__(self, config: DictConfig) -> float | None:
        return train_trial(config)


class SingleRun:
    """The task of a single run; keeps the result, or the error that Hydra would print."""

    def __init__(self) -> None:
        self.result: RunResult | None = None
        self.error: Exception | None = None

    def __call__(self, config: DictConfig) -> float | None:
        from cifar_exp.runs.execute import execute

        try:
            self.result = execute(_spec(config))
        except (UserError, EnvironmentFailure, RunLockedError) as error:
            self.error = error
            return None
        return self.result.record.metric


def _spec(config: DictConfig) -> RunSpec:
    """The run that Hydra's current job stands for."""
    hydra_config = HydraConfig.get()
    settings = validate(settings_tree(config))
    return RunSpec(
        settings=settings,
        label=str(hydra_config.runtime.choices["model"]),
        overrides=[line for line in hydra_config.overrides.task if not _names_sweep(line)],
        sweep=settings.sweep_name,
    )


def _names_sweep(line: str) -> bool:
    return line.startswith("sweep_name=")
