"""What `status --json` prints, as docs/formats.md describes it."""

from collections.abc import Iterable
from typing import Any

from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.ranking import ranked
from cifar_exp.sweeps.monitor.snapshot import Snapshot


def status_as_json(snapshots: Iterable[Snapshot], states: Iterable[RunState]) -> dict[str, Any]:
    """Sweeps, and runs outside them."""
    return {
        "sweeps": [_sweep(snapshot) for snapshot in snapshots],
        "runs": [_run(state) for state in states],
    }


def _sweep(snapshot: Snapshot) -> dict[str, Any]:
    best = next(iter(ranked(snapshot)), None)
    return {
        "sweep": snapshot.name,
        "counts": dict(snapshot.counts),
        "seconds_left": snapshot.seconds_left,
        "best": best and {"values": dict(best.values), "n": best.n, "mean": best.mean},
        "runs": [
            {
                **_run(snapshot.states[row.run_id], _job_id(snapshot, row)),
                "values": dict(row.values),
            }
            for row in snapshot.rows
        ],
    }


def _job_id(snapshot: Snapshot, row: SweepRow) -> str | None:
    job = snapshot.jobs.get(row.run_id)
    return job.job_id if job else None


def _run(state: RunState, job_id: str | None = None) -> dict[str, Any]:
    record = state.record
    return {
        "run_id": state.run_id,
        "folder": str(state.folder) if state.folder else None,
        "status": state.status,
        "epoch": state.epoch,
        "epochs": state.epochs,
        "val_accuracy": state.row.get("val_accuracy") if state.row else None,
        "metric": record.metric if record else None,
        "test_accuracy": record.test.accuracy if record and record.test else None,
        "reason": state.reason,
        "host": state.holder.host if state.holder else None,
        "job_id": job_id,
    }
