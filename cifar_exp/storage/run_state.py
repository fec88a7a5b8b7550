"""Where runs stand, by their folders and locks alone; nothing is changed and no torch is loaded."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.lock import LockHolder, RunLockedError, lock_holder, lock_run
from cifar_exp.storage.metrics import last_row
from cifar_exp.storage.record import TERMINAL, ErrorInfo, RunRecord, now
from cifar_exp.storage.run_folder import find_run, rerun_path, write_target

# Every status of a run, in the order in which counts of runs are shown.
STATUSES = ("completed", "running", "pending", "interrupted", "failed", "diverged", "pruned")
FOLDER = re.compile(r"[^.].*-([0-9a-f]{10})")


@dataclass(frozen=True)
class RunState:
    """A run as it stands now.

    `status` is the record's, but `pending` where there is none, and `interrupted` where the process
    that recorded `running` is gone. `row` is the last line of metrics.csv.
    """

    run_id: str
    folder: Path | None = None
    record: RunRecord | None = None
    owner: LockHolder | None = None
    row: dict[str, float] | None = None

    @property
    def status(self) -> str:
        """As the class says."""
        if self.owner is not None:
            return "running"
        if self.record is None:
            return "pending"
        return "interrupted" if self.record.status == "running" else self.record.status

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return int(self.row["epoch"]) if self.row else 0

    @property
    def epochs(self) -> int | None:
        """Epochs asked for."""
        return None if self.record is None else int(self.record.params["trainer.epochs"])

    @property
    def reason(self) -> str | None:
        """Why it did not complete."""
        if self.record is not None and self.record.error is not None:
            return f"{self.record.error.type}: {self.record.error.message}"
        if self.status == "interrupted" and self.record is not None:
            died = self.record.status == "running"
            return "its process died" if died else "asked to stop, position saved"
        return None


def run_folders(runs: Path) -> dict[str, Path]:
    """The folders of all runs by id, found in one pass."""
    found: dict[str, Path] = {}
    with suppress(FileNotFoundError), os.scandir(runs) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            match = FOLDER.fullmatch(entry.name)
            if match:
                found.setdefault(match[1], Path(entry.path))
    return found


def read_states(runs: Path, run_ids: Iterable[str]) -> dict[str, RunState]:
    """How these runs stand."""
    folders = run_folders(runs)
    return {run_id: read_state(runs, run_id, folders.get(run_id)) for run_id in run_ids}


def read_state(runs: Path, run_id: str, folder: Path | None) -> RunState:
    """How one run stands, whose folder, if it has one, is `folder`."""
    owner = lock_holder(runs, run_id)
    if folder is None:
        return RunState(run_id, owner=owner)
    record = RunRecord.load(folder)
    if owner is not None and record is not None and record.status in TERMINAL:
        again = RunRecord.load(rerun_path(folder))
        folder, record = (rerun_path(folder), again) if again else (folder, record)
    return RunState(run_id, folder, record, owner, last_row(folder))


def fail_dead_run(runs: Path, run_id: str, message: str) -> None:
    """Turn a run that is still recorded as running into a failed one; its checkpoint stays.

    Does nothing where another process has taken the run up again, or it has no folder yet.
    """
    settle(runs, run_id)
    home = find_run(runs, run_id)
    if home is None:
        return
    folder = write_target(home)
    with suppress(RunLockedError, OSError), lock_run(runs, run_id):
        record = RunRecord.load(folder)
        if record is not None and record.status == "running":
            record.status, record.finished_at = "failed", now()
            record.error = ErrorInfo(type="WorkerDied", message=message, traceback=None)
            record.save(folder)
