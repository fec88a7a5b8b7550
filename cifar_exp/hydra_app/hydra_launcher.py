"""One of Hydra's launchers (basic, joblib, ...) as an executor that works in batches."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.plugins.launcher import Launcher

from cifar_exp.errors import describe
from cifar_exp.machine import available_cores
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.sweeps.launchers.base import Executor, LaunchFailedError


class HydraExecutor(Executor):
    """Hands all submitted runs to the launcher when it is polled, and waits for them.

    `section` is the launcher's part of the config.
    """

    def __init__(self, launcher: Launcher, section: Mapping[str, Any]) -> None:
        self._launcher, self._section = launcher, section
        self._submitted: dict[str, RunSpec] = {}
        self._launched = 0

    def capacity(self) -> Sequence[Slot]:
        """One slot for each job that the launcher runs at a time."""
        return hydra_slots(self._section)

    def submit(self, spec: RunSpec) -> None:
        """Add the run to the next batch."""
        self._submitted[str(spec.run_id)] = spec

    def poll(self, timeout: float) -> Mapping[str, Exception | None]:  # noqa: ARG002, it blocks
        """Launch the batch and wait for all of it, however long that takes."""
        batch = dict(self._submitted)
        if not batch:
            return {}
        jobs = [_overrides(spec) for spec in batch.values()]
        first, self._launched = self._launched, self._launched + len(jobs)
        try:
            returns = self._launcher.launch(jobs, initial_job_idx=first)
        except Exception as error:  # a launcher may raise for the whole batch because of one job
            return dict.fromkeys(batch, LaunchFailedError(describe(error)))
        finally:
            self._submitted = {}
        values = [job._return_value for job in returns]
        return {
            run_id: value if isinstance(value, Exception) else None
            for run_id, value in zip(batch, values, strict=True)
        }

    def live(self) -> set[str]:
        """The ids of the next batch."""
        return set(self._submitted)

    def cancel(self, *, now: bool = False) -> None:  # noqa: ARG002, nothing runs between polls
        """Drop the next batch."""
        self._submitted = {}


def _overrides(spec: RunSpec) -> list[str]:
    """What composes the run in a job, and tells it which sweep it belongs to."""
    return [*spec.overrides, *([f"sweep_name='{spec.sweep}'"] if spec.sweep else [])]


def hydra_slots(section: Mapping[str, Any]) -> list[Slot]:
    """A slot for each job at a time, by `n_jobs` as joblib understands it: -1 means all cores."""
    jobs = section.get("n_jobs") or 1
    jobs = jobs if isinstance(jobs, int) else 1
    return [Slot()] * max(1, jobs if jobs > 0 else available_cores() + 1 + jobs)
