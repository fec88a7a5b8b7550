"""From Hydra's sweeper to ours: a plan from the overrides, runs through the chosen launcher."""

import shlex
import sys
from collections.abc import Mapping, Sequence

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from cifar_exp.errors import OutsideError
from cifar_exp.runs.interruption import Interrupted
from cifar_exp.runs.progress import Teller
from cifar_exp.sweeps.composition import Composer
from cifar_exp.sweeps.plan import PlannedRun, make_plan
from cifar_exp.sweeps.preflight import check_overrides
from cifar_exp.sweeps.sweeping import FAILED, Sweep


def sweep(
    config: DictConfig, loader: ConfigLoader, launcher: Launcher, arguments: Sequence[str]
) -> None:
    """Train what is missing of the sweep. Raises SystemExit with the exit code, always."""
    compose = Composer(loader, config.hydra.job.config_name)
    about_hydra = list(config.hydra.overrides.hydra)
    grid = check_overrides(compose, [*about_hydra, *arguments], is_multirun=True)
    teller = Teller(grid.cells[0].settings.trainer.progress)
    plan = make_plan(grid, teller.report)
    teller.close()
    command = shlex.join(["python", "-m", "cifar_exp.train", *_typed()])
    try:
        code = Sweep(plan, _Launch(launcher), command).go()
    except OutsideError as error:
        print(f"error: {error}", file=sys.stderr)
        code = FAILED
    except Interrupted as interruption:
        code = interruption.exit_code
    raise SystemExit(code)


def _typed() -> list[str]:
    """The arguments as the user gave them; sys.argv has them as Hydra wants them."""
    line = sys.orig_argv
    is_module = "cifar_exp.train" in line
    return line[line.index("cifar_exp.train") + 1 :] if is_module else sys.argv[1:]


class _Launch:
    """Hydra's launcher as the sweep wants it."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher, self._launched = launcher, 0

    def __call__(self, runs: Sequence[PlannedRun]) -> Mapping[str, Exception]:
        jobs = [list(run.cell.overrides) for run in runs]
        first, self._launched = self._launched, self._launched + len(jobs)
        try:
            returns = self._launcher.launch(jobs, initial_job_idx=first)
        except Exception as error:  # a launcher may give up on all for the sake of one
            return {run.run_id: error for run in runs}
        values = [job._return_value for job in returns]
        pairs = zip(runs, values, strict=True)
        return {run.run_id: value for run, value in pairs if isinstance(value, Exception)}
