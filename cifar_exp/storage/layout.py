"""What a path stands for: an outputs folder, its runs/ or sweeps/, one sweep or one run."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["outputs", "runs", "sweeps", "sweep", "run"]


@dataclass(frozen=True)
class Place:
    """A folder, and the outputs folder that it belongs to (for a run elsewhere, its parent)."""

    kind: Kind
    path: Path
    outputs: Path


def find_place(path: Path) -> Place | None:
    """What a folder is, by its name and files alone; None if it is not a folder of ours.

    A link stands for what it points to. A report has a runs.csv too; only a sweep has sweep.yaml.
    """
    if not is_folder(path):
        return None
    real = real_path(path)
    if is_sweep(path):
        return Place("sweep", path, real.parent.parent)
    if real.parent.name == "runs":
        return Place("run", path, real.parent.parent)
    if (path / "run.json").exists():
        return Place("run", path, real.parent)
    if real.name in ("runs", "sweeps"):
        kind: Kind = "runs" if real.name == "runs" else "sweeps"
        return Place(kind, path, path.parent if path.name == real.name else real.parent)
    if (path / "runs").is_dir() or (path / "sweeps").is_dir():
        return Place("outputs", path, path)
    return None


def sweep_folders(outputs: Path) -> list[Path]:
    """The folders of all sweeps in an outputs folder, by name."""
    files = sorted(outputs.glob("sweeps/*/runs.csv"))
    return [file.parent for file in files if is_sweep(file.parent)]


def is_sweep(path: Path) -> bool:
    """Whether a folder is a sweep's."""
    return (path / "runs.csv").is_file() and (path / "sweep.yaml").exists()


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; a path that is too long is not one."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def real_path(path: Path) -> Path:
    """The path without links; a loop of links is followed as far as possible."""
    return Path(os.path.realpath(path))


def real_paths(paths: Iterable[Path]) -> list[str]:
    """The paths without links; the folders that contain them are looked up once for all."""
    parents: dict[str, str] = {}
    found = []
    for path in map(os.fspath, paths):
        parent, name = os.path.split(path)
        if name in ("", os.curdir, os.pardir) or os.path.islink(path):
            found.append(os.path.realpath(path))
            continue
        if parent not in parents:
            parents[parent] = os.path.realpath(parent)
        found.append(os.path.join(parents[parent], name))
    return found
