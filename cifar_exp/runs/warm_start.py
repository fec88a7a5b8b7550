"""`init_from`: start from the weights of another run."""

from pathlib import Path

from torch import nn

from cifar_exp.errors import UserError
from cifar_exp.runs.checkpoint import UnreadableCheckpointError, load_checkpoint
from cifar_exp.runs.requirements import find_weights


def load_initial_weights(runs: Path, run: str, network: nn.Module) -> None:
    """Load the weights of a completed run, given by id, into `network`.

    Raises UserError as `find_weights` does, and if they cannot be read or do not fit.
    """
    path = find_weights(runs, run)
    try:
        state = load_checkpoint(path)
    except UnreadableCheckpointError as error:
        raise UserError(f"init_from={run}: {error}") from error
    if "network" not in state:
        raise UserError(f"init_from={run}: {path.parent.parent} is not completed yet")
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:
        raise UserError(f"init_from={run}: its weights do not fit this model ({error})") from error
