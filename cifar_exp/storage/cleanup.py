"""The last steps of a run's end. If the process is killed in one, the next process finishes them.

A rerun takes the place of its run, and a completed run's checkpoints are reduced.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.storage.fence import check_fence
from cifar_exp.storage.lock import RunLockedError, is_abandoned, lock_run
from cifar_exp.storage.record import TERMINAL, RunRecord
from cifar_exp.storage.run_folder import REPLACED, RunDirectory, find_run, replaced_path, rerun_path

CANNOT_WRITE = (RunLockedError, UserError, EnvironmentFailure, OSError)


def settle(runs: Path, run_id: str, home: Path | None = None) -> bool:
    """Finish the end of a run whose process was killed there.

    Also frees the lock of a process that died with it, so that the next process need not watch it
    again. Does nothing if another process holds the run or its lock cannot be written. `home` is
    the run's folder, if the caller knows it. Returns whether a rerun took the place of its run.
    """
    home = home or _home(runs, run_id)
    if home is None or (_is_settled(home) and not is_abandoned(runs, run_id)):
        return False
    with suppress(*CANNOT_WRITE), lock_run(runs, run_id):
        return settle_held(runs, run_id)
    return False


def settle_held(runs: Path, run_id: str) -> bool:
    """As `settle`, for the holder of the run's lock."""
    home = _home(runs, run_id)
    if home is None:
        return False
    has_replaced = _replace(home)
    record = RunRecord.load(home)
    if record is not None and record.status == "completed":
        RunDirectory(home).reduce(_keep(record))
    return has_replaced


def _replace(home: Path) -> bool:
    """Put a rerun that has ended in the place of its run; continues after a kill at any step."""
    again, replaced = rerun_path(home), replaced_path(home)
    if home.exists() and replaced.exists():  # it has taken the place already
        _remove(replaced)
        return True
    if _has_ended(again):
        if home.exists():
            _move(home, replaced)
        _move(again, home)
        _remove(replaced)
        return True
    if not home.exists():  # the rerun was removed by hand between the two renames
        _move(replaced, home)
    return False


def _move(source: Path, target: Path) -> None:
    check_fence()
    os.replace(source, target)


def _remove(folder: Path) -> None:
    check_fence()
    shutil.rmtree(folder)


def _is_settled(home: Path) -> bool:
    if replaced_path(home).exists() or _has_ended(rerun_path(home)):
        return False
    record = RunRecord.load(home)
    if record is None or record.status != "completed":
        return True
    return RunDirectory(home).is_reduced(_keep(record))


def _has_ended(folder: Path) -> bool:
    record = RunRecord.load(folder)
    return record is not None and record.status in TERMINAL


def _keep(record: RunRecord) -> str:
    return str(record.params.get("keep", "all"))


def _home(runs: Path, run_id: str) -> Path | None:
    """The folder of a run, even if it is being replaced and does not exist at the moment."""
    replaced = sorted(runs.glob(f"[!.]*-{run_id}{REPLACED}"))
    return (
        replaced[0].with_name(replaced[0].name.removesuffix(REPLACED))
        if replaced
        else find_run(runs, run_id)
    )
