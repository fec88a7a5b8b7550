"""What a sweep has to do with a confirmation: the runs that selected, and those that confirm."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.storage.layout import is_sweep, real_path
from cifar_exp.storage.reading import UnreadableError
from cifar_exp.storage.record import RunRecord, read_record
from cifar_exp.storage.selection import Selection, confirming_name
from cifar_exp.storage.sweep_folder import SweepFile, SweepFolder


@dataclass(frozen=True)
class ConfirmationRun:
    """A run that selected or confirms, as its record is now."""

    folder: Path
    record: RunRecord


@dataclass(frozen=True)
class ConfirmationInput:
    """`selection` as the confirming sweep of the name `confirming` has it; `runs` by id.

    `runs` are those of both sweeps that can be read, whichever of the two is reported on.
    """

    selection: Selection
    confirming: str
    runs: Mapping[str, ConfirmationRun]


def find_confirmation(
    sweep: Path, file: SweepFile, folders: Mapping[str, Path]
) -> ConfirmationInput | None:
    """The confirmation that the sweep is part of, on either side; None if there is none.

    `file` is its sweep.yaml, `folders` are those of runs by id.
    """
    name, selection = real_path(sweep).name, file.confirms
    confirming = name
    if selection is None:
        confirming = confirming_name(name)
        selection = _selection_from(name, real_path(sweep).with_name(confirming))
    if selection is None:
        return None
    run_ids = [
        run_id for each in selection.all for run_id in (*each.selected_on, *each.confirmed_on)
    ]
    found = {run_id: _read(folders[run_id]) for run_id in run_ids if run_id in folders}
    runs = {run_id: run for run_id, run in found.items() if run is not None}
    return ConfirmationInput(selection, confirming, runs)


def _selection_from(name: str, confirming: Path) -> Selection | None:
    """What a folder says was selected from the sweep of this name."""
    selection = SweepFolder(confirming).read_file().confirms if is_sweep(confirming) else None
    return selection if selection is not None and selection.sweep == name else None


def _read(folder: Path) -> ConfirmationRun | None:
    try:
        return ConfirmationRun(folder, read_record(folder))
    except UnreadableError:
        return None
