"""Train one run, or with --multirun many: `python -m cifar_exp.train model=wide seed=1`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
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
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.terminal import open_console, plain, print_line

if TYPE_CHECKING:  # Hydra takes a third of a second to import: `--version` does without it
    from cifar_exp.hydra_app.command import Command
    from cifar_exp.runs.spec import RunResult
    from cifar_exp.sweeps.forecast import Machine
    from cifar_exp.sweeps.launchers.base import Executor
    from cifar_exp.sweeps.plan import Plan


def main() -> int:
    """The command: returns its exit code."""
    try:
        return _command(sys.argv[1:])
    except (UserError, EnvironmentFailure) as error:
        return print_error(error)
    except RunLockedError as error:
        print(f"error: {error}; it is left alone", file=sys.stderr)
        return LOCKED
    except Interrupted as interruption:
        return interruption.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _command(typed: list[str]) -> int:
    if "--version" in typed:
        print(f"cifar_exp {cifar_exp.__version__}")
        return DONE
    from cifar_exp.hydra_app.command import read_command

    command = read_command(typed)
    if command.is_help:
        open_console().print(plain(command.help_text()))
        return DONE
    if command.shows_hydra:
        return _show(command)
    grid = command.grid  # a mistake is reported before numpy is imported
    if command.parsed.json and not grid.settings[0].plan:
        from cifar_exp.hydra_app.arguments import JSON_GOES_WITH

        raise UserError(JSON_GOES_WITH)
    from cifar_exp.runs.requirements import check_requirements
    from cifar_exp.sweeps.launchers.registry import check_launcher
    from cifar_exp.sweeps.search.promotion import check_pruning

    check_pruning(grid)
    check_requirements(grid.settings)
    if grid.launcher_options is not None:
        check_launcher(grid.launcher_options, trains=not grid.settings[0].plan)
    if grid.settings[0].plan:
        return _print_plan(command)
    return _train_sweep(command) if grid.is_sweep else _train_one(command)


def _show(command: Command) -> int:
    from cifar_exp.hydra_app.task import SingleRun, run_hydra

    if not command.parsed.shell_completion:
        _ = command.grid  # mistakes are reported in our words
    run_hydra(command, SingleRun())
    return DONE


def _train_one(command: Command) -> int:
    result = _run_in_hydra(command) if command.needs_hydra else _run(command)
    return DONE if result is not None and result.record.status == "completed" else FAILED


def _run(command: Command) -> RunResult:
    from cifar_exp.runs.execute import execute
    from cifar_exp.runs.spec import RunSpec

    (trial,) = command.grid.trials
    return execute(RunSpec(trial.settings, trial.label, trial.overrides))


def _run_in_hydra(command: Command) -> RunResult | None:
    from cifar_exp.hydra_app.task import SingleRun, run_hydra

    task = SingleRun()
    run_hydra(command, task)
    if task.error is not None:
        raise task.error
    return task.result


def _train_sweep(command: Command) -> int:
    from cifar_exp.hydra_app.sweep_report import end_of
    from cifar_exp.hydra_app.task import PlannedSweep, run_foreign_sweep, run_hydra
    from cifar_exp.sweeps.sweep import Sweep

    grid = command.grid
    if grid.has_foreign_sweeper:
        print("note     one of Hydra's sweepers runs this: it makes no sweep folder and no report")
        run_foreign_sweep(command)
        return DONE
    plan = _plan(command)
    if grid.launcher_options is None or command.needs_hydra:
        run_hydra(command, PlannedSweep(plan, command.line))  # ends with its own exit code
        return DONE
    return Sweep(plan, _executor(command, plan), command.line, end_of(plan)).run()


def _print_plan(command: Command) -> int:
    from cifar_exp.sweeps.dry_run import dry_run, plan_as_json
    from cifar_exp.text import to_json

    plan, console = _plan(command), open_console()
    with _machine(command, plan) as machine:
        if command.parsed.json:
            console.print(plain(to_json(plan_as_json(plan, machine))))
        else:
            shows_all = command.grid.settings[0].plan == "all"
            dry_run(plan, machine, partial(print_line, console), shows_all=shows_all)
    return DONE


@contextmanager
def _machine(command: Command, plan: Plan) -> Iterator[Machine]:
    from cifar_exp.hydra_app.hydra_launcher import hydra_slots
    from cifar_exp.sweeps.forecast import Machine
    from cifar_exp.sweeps.launchers.registry import probe_of
    from cifar_exp.sweeps.probe import probe

    if command.grid.launcher_options is None:
        yield Machine(partial(hydra_slots, command.grid.launcher), probe)
        return
    with _executor(command, plan) as executor:
        yield Machine(executor.capacity, probe_of(executor))


def _plan(command: Command) -> Plan:
    from cifar_exp.runs.console import Console
    from cifar_exp.sweeps.plan import make_plan
    from cifar_exp.sweeps.prerequisites import check_prerequisites

    mode = "none" if command.parsed.json else command.grid.settings[0].trainer.progress
    with closing(Console(mode)) as console:
        plan = make_plan(command.grid, console.update)
    check_prerequisites(plan, command.grid.settings if command.grid.search else ())
    return plan


def _executor(command: Command, plan: Plan) -> Executor:
    from cifar_exp.sweeps.launchers.registry import make_executor

    options = command.grid.launcher_options
    assert options is not None
    devices = {settings.trainer.device for settings in command.grid.settings}
    return make_executor(options, plan.folder, needs_accelerator=devices != {"cpu"})


if __name__ == "__main__":
    sys.exit(main())
