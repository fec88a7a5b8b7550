"""From Hydra's sweeper to ours: a plan from the overrides, runs through the chosen launcher."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from cifar_exp.errors import EnvironmentFailure, Interrupted, UserError, print_error
from cifar_exp.hydra_app.compose import Composer
from cifar_exp.hydra_app.trials import check_overrides
from cifar_exp.runs.console import RunConsole
from cifar_exp.sweeps.plan import PlannedRun, make_plan
from cifar_exp.sweeps.sweep import Sweep


def sweep(
    config: DictConfig, loader: ConfigLoader, launcher: Launcher, arguments: Sequence[str]
) -> None:
    """Train what is missing of the sweep. Raises SystemExit with the exit code, always."""
    compose = Composer(loader, config.hydra.job.config_name)
    lines = [*config.hydra.overrides.hydra, *arguments]
    try:
        code = _planned(compose, lines, launcher).go()
    except (UserError, EnvironmentFailure) as error:  # Hydra would print a traceback
        code = print_error(error)
    except Interrupted as interruption:
        code = interruption.exit_code
    raise SystemExit(code)


def _planned(compose: Composer, lines: Sequence[str], launcher: Launcher) -> Sweep:
    """The sweep of these overrides. Of data=folder the images are read; raises as `make_plan`."""
    grid = check_overrides(compose, lines, is_multirun=True)
    with closing(RunConsole(grid.trials[0].settings.trainer.progress)) as teller:
        plan = make_plan(grid, teller.report)
    command = shlex.join(["python", "-m", "cifar_exp.train", *_typed()])
    return Sweep(plan, _Launch(launcher), command)


def _typed() -> list[str]:
    """The arguments as the user gave them; sys.argv has them as Hydra wants them."""
    line = sys.orig_argv
    for start in ("cifar_exp.train", "train"):  # python -m cifar_exp.train, cifar-exp train
        if start in line:
            return line[line.index(start) + 1 :]
    return sys.argv[1:]


class _Launch:
    """Hydra's launcher as the sweep wants it."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher, self._launched = launcher, 0

    def __call__(self, runs: Sequence[PlannedRun]) -> Mapping[str, Exception]:
        jobs = [list(run.trial.overrides) for run in runs]
        first, self._launched = self._launched, self._launched + len(jobs)
        try:
            returns = self._launcher.launch(jobs, initial_job_idx=first)
        except Exception as error:  # a launcher may give up on all for the sake of one
            return {run.run_id: error for run in runs}
        values = [job._return_value for job in returns]
        pairs = zip(runs, values, strict=True)
        return {run.run_id: value for run, value in pairs if isinstance(value, Exception)}
