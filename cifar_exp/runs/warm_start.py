"""`init_from`: start from the weights of another run."""

import re
from pathlib import Path

from torch import nn

from cifar_exp.errors import UserError
from cifar_exp.runs.checkpoint import UnreadableCheckpointError, load_checkpoint
from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.run_folder import RunDirectory, find_run


def load_initial_weights(runs: Path, run: str, network: nn.Module) -> None:
    """Load the weights of a completed run, given by id, into `network`.

    Raises UserError where there is no such run, it kept no weights, or they cannot be read
    or do not fit.
    """
    folder = _run_folder(runs, run) if re.fullmatch(r"[0-9a-f]{10}", run) else None
    if folder is None:
        raise UserError(f"init_from={run}: there is no such run in {runs}; give a run's id")
    directory = RunDirectory(folder)
    path = directory.last if directory.last.exists() else directory.best
    if not path.exists():
        raise UserError(f"init_from={run}: {folder} kept no weights (keep=none)")
    try:
        state = load_checkpoint(path)
    except UnreadableCheckpointError as error:
        raise UserError(f"init_from={run}: {error}") from error
    if "network" not in state:
        raise UserError(f"init_from={run}: {folder} is not completed yet")
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:
        raise UserError(f"init_from={run}: its weights do not fit this model ({error})") from error


def _run_folder(runs: Path, run: str) -> Path | None:
    settle(runs, run)
    return find_run(runs, run)
