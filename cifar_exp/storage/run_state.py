"""The state of runs, from their folders and locks alone: run.json, metrics.csv and .locks.

Reading changes nothing, and a damaged file of a run never raises.
"""

import math
import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.storage.cleanup import CANNOT_WRITE, settle
from cifar_exp.storage.lease import LockHolder
from cifar_exp.storage.lock import lock_holder, lock_run
from cifar_exp.storage.metrics import last_row
from cifar_exp.storage.record import TERMINAL, ErrorInfo, RunRecord, now
from cifar_exp.storage.run_folder import find_run, rerun_path, write_target

# Every status of a run, in the order in which counts of runs are shown.
STATUSES = ("completed", "running", "pending", "interrupted", "failed", "diverged", "pruned")
LOOKS, LOOK_SECONDS = 20, 0.1  # at the holder of a run whose process is said to have died
FOLDER = re.compile(r"[^.].*-([0-9a-f]{10})")


@dataclass(frozen=True)
class RunState:
    """The state of a run when it was read. `row` is the last line of metrics.csv."""

    run_id: str
    folder: Path | None = None
    record: RunRecord | None = None
    holder: LockHolder | None = None
    row: dict[str, float] | None = None

    @property
    def status(self) -> str:
        """One of STATUSES.

        The record's, but `pending` without a record, `running` while a process holds the run, and
        `interrupted` where the process that recorded `running` is gone.
        """
        if self.holder is not None:
            return "running"
        if self.record is None:
            return "pending"
        return "interrupted" if self.record.status == "running" else self.record.status

    @property
    def name(self) -> str:
        """The name of its folder, or its id if it has none."""
        return self.folder.name if self.folder else self.run_id

    @property
    def epoch(self) -> int:
        """The number of epochs done."""
        epoch = self.row.get("epoch", 0.0) if self.row else 0.0
        return max(0, int(epoch)) if math.isfinite(epoch) else 0

    @property
    def epochs(self) -> int | None:
        """The number of epochs in the settings; None if it is not known."""
        epochs = self.record.params.get("trainer.epochs") if self.record else None
        return epochs if isinstance(epochs, int) else None

    @property
    def reason(self) -> str | None:
        """Why it did not complete, or None."""
        if self.record is not None and self.record.error is not None:
            return f"{self.record.error.type}: {self.record.error.message}"
        if self.status == "pruned" and self.record is not None and self.record.pruned is not None:
            return f"paused after epoch {self.record.pruned.epoch} by {self.record.pruned.rule}"
        if self.status == "interrupted" and self.record is not None:
            has_died = self.record.status == "running"
            return "its process died" if has_died else "asked to stop, position saved"
        return None


def run_folders(runs: Path) -> dict[str, Path]:
    """The folders of all runs by id, found in one pass. Raises PermissionError."""
    found: dict[str, Path] = {}
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(runs) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            match = FOLDER.fullmatch(entry.name)
            if match:
                found.setdefault(match[1], Path(entry.path))
    return found


def read_states(runs: Path, run_ids: Iterable[str]) -> dict[str, RunState]:
    """The states of these runs, by id."""
    folders = run_folders(runs)
    return {run_id: read_state(runs, run_id, folders.get(run_id)) for run_id in run_ids}


def read_state(runs: Path, run_id: str, folder: Path | None) -> RunState:
    """The state of one run. `folder` is its folder, or None if it has none."""
    holder = lock_holder(runs, run_id)
    if folder is None:
        return RunState(run_id, holder=holder)
    record = RunRecord.load(folder)
    if holder is not None and record is not None and record.status in TERMINAL:
        again = RunRecord.load(rerun_path(folder))
        folder, record = (rerun_path(folder), again) if again else (folder, record)
    return RunState(run_id, folder, record, holder, last_row(folder))


def fail_dead_run(runs: Path, run_id: str, message: str) -> None:
    """Record that a run failed because its process died. Its checkpoint stays.

    Does nothing if the run has no folder, has recorded its end, or is held by another process.
    """
    settle(runs, run_id)
    home = find_run(runs, run_id)
    if home is None:
        return
    folder = write_target(home)
    for _ in range(LOOKS):  # a killed process closes its sockets a moment before it counts as dead
        if lock_holder(runs, run_id) is None:
            break
        time.sleep(LOOK_SECONDS)
    with suppress(*CANNOT_WRITE), lock_run(runs, run_id):
        record = RunRecord.load(folder)
        if record is not None and record.status == "running":
            record.status, record.finished_at = "failed", now()
            record.error = ErrorInfo(type="WorkerDied", message=message, traceback=None)
            record.save(folder)
