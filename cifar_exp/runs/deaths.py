"""Put on record that the process of a run died: nobody else can tell why."""

from contextlib import suppress
from pathlib import Path

from cifar_exp.runs.directory import find_run
from cifar_exp.runs.lock import HeldElsewhereError, held
from cifar_exp.runs.record import ErrorPart, RunRecord, now
from cifar_exp.runs.request import folder_to_fill
from cifar_exp.runs.settling import settle


def record_death(runs: Path, run_id: str, message: str) -> None:
    """Turn a run that is still recorded as running into a failed one; its checkpoint stays.

    Does nothing where another process has taken the run up again, or it has no folder yet.
    """
    settle(runs, run_id)
    home = find_run(runs, run_id)
    if home is None:
        return
    folder = folder_to_fill(home)
    with suppress(HeldElsewhereError, OSError), held(runs, run_id):
        record = RunRecord.load(folder)
        if record is not None and record.status == "running":
            record.status, record.finished_at = "failed", now()
            record.error = ErrorPart(type="WorkerDied", message=message, traceback=None)
            record.save(folder)
