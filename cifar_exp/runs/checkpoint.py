"""Checkpoints: written whole, read with `weights_only=True`."""

import io
from pathlib import Path
from typing import Any

import torch

from cifar_exp.runs.files import write_whole


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` by `content`: tensors and plain values only."""
    path.parent.mkdir(exist_ok=True)
    whole = io.BytesIO()  # torch hides the error of a full disk; a few MB more do not matter
    torch.save(content, whole)
    write_whole(path, lambda stream: stream.write(whole.getbuffer()))


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint onto `device`. No code in it is run."""
    content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return content
