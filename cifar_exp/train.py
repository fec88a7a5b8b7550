"""Train one run, or with --multirun many: `python -m cifar_exp.train model=wide seed=1`."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import cifar_exp
from cifar_exp.errors import (
    DONE,
    FAILED,
    INTERRUPTED,
    LOCKED,
    EnvironmentFailure,
    Interrupted,
    UserError,
    print_error,
)

if TYPE_CHECKING:  # Hydra takes a third of a second: `--version` does without
    from collections.abc import Callable

    from omegaconf import DictConfig

    from cifar_exp.config.schema import Settings
    from cifar_exp.sweeps.trial import Grid


def main() -> int:
    """The command: returns its exit code."""
    try:
        return _command(sys.argv[1:])
    except (UserError, EnvironmentFailure) as error:
        return print_error(error)
    except KeyboardInterrupt:
        return INTERRUPTED


def _command(arguments: list[str]) -> int:
    if "--version" in arguments:
        print(f"cifar_exp {cifar_exp.__version__}")
        return DONE
    from cifar_exp.hydra_app.arguments import options_first, parse_arguments
    from cifar_exp.hydra_app.help import help_text
    from cifar_exp.hydra_app.overrides import quoted
    from cifar_exp.hydra_app.trials import check_command_line

    sys.argv[1:] = options_first([quoted(argument) for argument in arguments])
    parsed = parse_arguments(sys.argv[1:])
    if parsed.help:
        print(help_text(parsed))
        return DONE
    if not parsed.shell_completion:
        grid = check_command_line(parsed)
        _check_surroundings(grid.settings)
        if grid.settings[0].plan:
            return _tell_plan(grid)
        if grid.is_sweep and not (parsed.cfg or parsed.info):
            if not parsed.multirun:
                sys.argv.insert(1, "--multirun")  # Hydra is to know it before it reads the file
            return _train_many()
    return _train_one()


def _tell_plan(grid: Grid) -> int:
    from cifar_exp.runs.console import RunConsole
    from cifar_exp.sweeps.dry_run import dry_run
    from cifar_exp.sweeps.plan import make_plan

    with closing(RunConsole(grid.settings[0].trainer.progress)) as teller:
        plan = make_plan(grid, teller.report)
    for line in dry_run(plan, grid.launcher):
        print(line)
    return DONE


def _run_hydra(task: Callable[[DictConfig], float | None]) -> None:
    import hydra

    from cifar_exp.hydra_app.compose import CONFIG_NAME, conf_folder

    hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name=CONFIG_NAME)(task)()


def _train_many() -> int:
    from cifar_exp.hydra_app.task import train_trial

    _run_hydra(train_trial)  # the sweeper ends the process with its own exit code
    return DONE


def _train_one() -> int:
    codes = [DONE]

    def task(config: DictConfig) -> float | None:
        code, metric = _run_trial(config)
        codes.append(code)
        return metric

    _run_hydra(task)
    return codes[-1]


def _run_trial(config: DictConfig) -> tuple[int, float | None]:
    """Train the run of a composed config: exit code, and the metric it is ranked by."""
    from cifar_exp.hydra_app.task import spec_of
    from cifar_exp.runs.execute import execute
    from cifar_exp.storage.lock import RunLockedError

    try:
        record = execute(spec_of(config)).record
    except (UserError, EnvironmentFailure) as error:
        return print_error(error), None
    except RunLockedError as error:
        print(f"error: {error}; it is left alone", file=sys.stderr)
        return LOCKED, None
    except Interrupted as interruption:
        raise SystemExit(interruption.exit_code) from None
    return (DONE if record.status == "completed" else FAILED), record.metric


def _check_surroundings(trials: list[Settings]) -> None:
    """Raise UserError if images or a device that the settings ask for are not there."""
    from cifar_exp.data.registry import missing_data

    mistakes = [_unusable(Path(name)) for name in ("outputs", "outputs/runs", "outputs/sweeps")]
    mistakes += [missing_data(settings.data) for settings in trials]
    devices = {settings.trainer.device for settings in trials} - {"auto", "cpu"}
    mistakes += [_missing_device(name) for name in sorted(devices)]
    found = list(dict.fromkeys(mistake for mistake in mistakes if mistake))
    if found:
        raise UserError(found)


def _unusable(folder: Path) -> str | None:
    if folder.is_dir() and os.access(folder, os.W_OK):
        return None
    if not folder.exists() and not folder.is_symlink():
        return None
    return f"{folder}: is there, and no folder that can be written to"


def _missing_device(name: str) -> str | None:
    from cifar_exp.training.devices import resolve_device  # imports torch, a second or two

    try:
        resolve_device(name)
    except ValueError as error:
        return f"trainer.device={name}: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
