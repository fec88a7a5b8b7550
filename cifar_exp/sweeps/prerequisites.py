"""What the missing runs of a sweep need: weights to start from, and classes of the user."""

from collections.abc import Sequence

from pebble import ProcessExpired

from cifar_exp.config.schema import Settings
from cifar_exp.errors import UserError
from cifar_exp.runs.requirements import Target, find_weights, target_errors, targets_of
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.run_state import read_states
from cifar_exp.sweeps.launchers.local.pool import Worker, fork_server
from cifar_exp.sweeps.plan import Plan, missing_runs


def check_prerequisites(plan: Plan, examples: Sequence[Settings] = ()) -> None:
    """Raise UserError, with the sentences of a single run, if a run that is not done lacks one.

    `examples` stand for the runs that a search will propose.
    """
    settings = [*(run.trial.settings for run in plan.runs), *examples]
    if not targets_of(settings) and all(each.init_from is None for each in settings):
        return
    missing = [*_missing(plan), *examples]
    errors = _weights_errors(plan, missing)
    if errors:  # before processes are started
        raise UserError(errors)
    targets = targets_of(missing)
    errors = _target_errors(targets) if targets else []
    if errors:
        raise UserError(errors)


def _missing(plan: Plan) -> list[Settings]:
    states = read_states(plan.runs_folder, plan.by_id)
    return [run.trial.settings for run in missing_runs(plan.runs, states)]


def _weights_errors(plan: Plan, settings: Sequence[Settings]) -> list[str]:
    errors: list[str] = []
    for run_id in dict.fromkeys(each.init_from for each in settings if each.init_from):
        try:
            find_weights(plan.runs_folder, run_id)
        except UserError as error:
            errors += error.messages
    return errors


def _target_errors(targets: Sequence[Target]) -> list[str]:
    """Look them up in a worker process: it has imported torch, and may die of the user's code."""
    worker = Worker(Slot(), fork_server())
    try:
        errors: list[str] = worker.submit(target_errors, targets).result()
    except ProcessExpired:
        names = ", ".join(name for _, name in targets)
        return [f"_target_={names}: importing it ended the process"]
    finally:
        worker.close()
    return errors
