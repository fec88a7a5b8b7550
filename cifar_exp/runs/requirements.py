"""What runs need before they begin: folders, images, devices, weights and the user's classes.

Only a device that is named needs torch to be checked.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.instantiate import find_target
from cifar_exp.config.schema import Settings
from cifar_exp.data.registry import dataset_counts, is_known_by_content, missing_data_error
from cifar_exp.data.splits import split_error
from cifar_exp.errors import UserError
from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import RunDirectory, find_run

WRITTEN = ("", "runs", "runs/.locks", "sweeps", "sweeps/.locks")  # folders in outputs/
Target = tuple[str, str]  # a group, and the class or function that its `_target_` names


def check_requirements(settings: Sequence[Settings]) -> None:
    """Raise UserError if a folder, the images or a device is missing."""
    sections = dict.fromkeys(each.data for each in settings)
    errors = [_folder_error(Path("outputs", name)) for name in WRITTEN]
    errors += [missing_data_error(section) for section in sections]
    errors += [
        split_error(section, dataset_counts(section).train)
        for section in sections
        if not is_known_by_content(section)
    ]
    _raise(errors)  # before torch is imported, which takes a second or two
    devices = {each.trainer.device for each in settings} - {"auto", "cpu"}
    _raise(_device_error(name) for name in sorted(devices))


def find_weights(runs: Path, run: str) -> Path:
    """The checkpoint of a completed run, given by id.

    Raises UserError if there is no such run, it is not completed, or it kept no weights.
    """
    folder = _run_folder(runs, run) if re.fullmatch(r"[0-9a-f]{10}", run) else None
    if folder is None:
        raise UserError(f"init_from={run}: there is no such run in {runs}; give a run's id")
    record = RunRecord.load(folder)
    if record is not None and record.status != "completed":
        raise UserError(f"init_from={run}: {folder} is not completed yet")
    directory = RunDirectory(folder)
    is_last = record is None or record.params.get("trainer.evaluate") != "best"
    path = directory.last if is_last and directory.last.exists() else directory.best
    if not path.exists():
        raise UserError(f"init_from={run}: {folder} kept no weights (keep=none)")
    return path


def targets_of(settings: Iterable[Settings]) -> list[Target]:
    """The classes of the user that the settings name, each once."""
    found: dict[Target, None] = {}
    for each in settings:
        for group in ("model", "optimizer", "scheduler"):
            section = getattr(each, group)
            if isinstance(section, TargetSection):
                found[group, section.target] = None
    return list(found)


def target_errors(targets: Iterable[Target]) -> list[str]:
    """A sentence on each class or function that does not exist. Imports the modules."""
    errors = []
    for group, name in targets:
        try:
            find_target(name)
        except ValueError as error:
            errors.append(f"{group}: {error}")
    return errors


def _raise(errors: Iterable[str | None]) -> None:
    found = list(dict.fromkeys(error for error in errors if error))
    if found:
        raise UserError(found)


def _folder_error(folder: Path) -> str | None:
    if folder.is_dir() and os.access(folder, os.W_OK):
        return None
    if not folder.exists() and not folder.is_symlink():
        return None
    return f"{folder} exists but is not a writable folder"


def _device_error(name: str) -> str | None:
    from cifar_exp.training.devices import resolve_device

    try:
        resolve_device(name)
    except ValueError as error:
        return f"trainer.device={name}: {error}"
    return None


def _run_folder(runs: Path, run: str) -> Path | None:
    settle(runs, run)
    return find_run(runs, run)
