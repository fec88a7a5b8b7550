"""`init_from`: start from the weights of another run."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from cifar_exp.errors import UserError
from cifar_exp.runs.checkpoint import (
    UnreadableCheckpointError,
    evaluated_weights,
    is_training_state,
    load_checkpoint,
)
from cifar_exp.runs.requirements import find_weights
from cifar_exp.storage.record import RunRecord

Weights = Mapping[str, Tensor]


def load_initial_weights(runs: Path, run: str, network: nn.Module) -> None:
    """Load the weights of a completed run, given by its id, into `network`.

    Raises UserError as `find_weights` does, and if they cannot be read or do not fit.
    """
    path = find_weights(runs, run)
    try:
        checkpoint = load_checkpoint(path)
    except UnreadableCheckpointError as error:
        raise UserError(f"init_from={run}: {error}") from error
    folder = path.parent.parent
    if is_training_state(checkpoint) and RunRecord.load(folder) is None:
        raise UserError(f"init_from={run}: {folder} is not completed yet")
    theirs = evaluated_weights(checkpoint)
    difference = _difference(theirs, network.state_dict())
    if difference is not None:
        raise UserError(f"init_from={run}: its weights do not fit this model: {difference}")
    network.load_state_dict(theirs)


def _difference(theirs: Weights, ours: Weights) -> str | None:
    """The first difference in names and shapes; None if the weights fit."""
    only = [name for name in ours if name not in theirs]
    if only:
        return f"it has no {only[0]}"
    more = [name for name in theirs if name not in ours]
    if more:
        return f"this model has no {more[0]}"
    for name, tensor in ours.items():
        before, here = tuple(theirs[name].shape), tuple(tensor.shape)
        if before != here:
            return f"{name} has the shape {before} there and {here} here"
    return None
