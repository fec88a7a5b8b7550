"""Checkpoints: replaced atomically, read with `weights_only=True`."""

import io
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import torch

from cifar_exp.errors import describe
from cifar_exp.storage.atomic import write_whole
from cifar_exp.training.devices import is_out_of_memory

LONGEST_REASON = 200  # torch's messages can be a page long; the log has them


class UnreadableCheckpointError(Exception):
    """A checkpoint is damaged or missing; the message names it."""


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` by `content`: tensors and plain values only."""
    path.parent.mkdir(exist_ok=True)
    whole = io.BytesIO()  # torch hides the error of a full disk; a few MB more do not matter
    torch.save(content, whole)
    write_whole(path, lambda stream: stream.write(whole.getbuffer()))


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint onto `device`. No code in it is run.

    Raises UnreadableCheckpointError if it cannot be read.
    """
    try:
        _verify_checksums(path)
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # a damaged file raises almost anything
        if is_out_of_memory(error):
            raise
        reason = textwrap.shorten(describe(error), LONGEST_REASON)
        raise UnreadableCheckpointError(f"{path} cannot be read ({reason})") from error
    if not isinstance(content, dict):
        raise UnreadableCheckpointError(f"{path} is not a checkpoint")
    return content


def is_training_state(checkpoint: dict[str, Any]) -> bool:
    """Whether training can continue from this checkpoint; otherwise it has weights alone."""
    return "network" not in checkpoint


def trainer_state(checkpoint: dict[str, Any], steps_per_epoch: int) -> dict[str, Any]:
    """The state of the trainer in a training state."""
    if "loop" in checkpoint:
        return _trainer_state_of_0_1(checkpoint, steps_per_epoch)
    state: dict[str, Any] = checkpoint["trainer"]
    return state


def evaluated_weights(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The weights that are evaluated: their EMA if it is on."""
    if not is_training_state(checkpoint):
        return dict(checkpoint["network"])
    state = trainer_state(checkpoint, steps_per_epoch=0)
    if state["ema"] is None:
        return dict(state["network"])
    inner = "module."  # as torch's AveragedModel names what it holds
    return {name.removeprefix(inner): w for name, w in state["ema"].items() if inner in name}


def _trainer_state_of_0_1(checkpoint: dict[str, Any], steps_per_epoch: int) -> dict[str, Any]:
    """The same from a last.pt of version 0.1, which counted an epoch before its evaluation."""
    state, pending = dict(checkpoint["loop"]), checkpoint["pending"]
    state["ema"], state["train_batches"] = state.pop("averaged"), state.pop("feed")
    state["totals"] = state.pop("sums")
    if pending is not None:
        images, accuracy = pending["images"], pending["accuracy"]
        state["epoch"], state["step_in_epoch"] = state["epoch"] - 1, steps_per_epoch
        state["totals"] = {
            "loss": torch.tensor(pending["loss"] * images, dtype=torch.float64),
            "correct": torch.tensor(round((accuracy or 0) * images)),
            "images": images,
            "mixed": accuracy is None,
            "seconds": pending["seconds"],
        }
    position = {key: checkpoint[key] for key in ("history", "elapsed_seconds")}
    return {**state, **position}


def _verify_checksums(path: Path) -> None:
    # torch writes a checksum of each tensor into its zip file, but does not check it on reading
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"wrong checksum of {damaged}")
