"""`plan=true`: the runs with their ids, what is done already, and the time for the rest."""

from collections.abc import Iterator, Mapping
from typing import Any

from cifar_exp.config.launcher import TARGET, LocalOptions
from cifar_exp.config.schema import Settings
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.record import TERMINAL, needs_no_training
from cifar_exp.storage.run_state import RunState, read_states, run_folders
from cifar_exp.sweeps.duration import DurationModel, makespan, seconds_left
from cifar_exp.sweeps.launchers.local.slots import available_cores, divide, total_memory_gb
from cifar_exp.sweeps.monitor.snapshot import latest_samples
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.sweep import launch_order
from cifar_exp.text import duration, value_as_text

START_SECONDS = 5.0  # workers import torch once


def dry_run(plan: Plan, launcher: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the plan. Nothing is trained and nothing written."""
    states = read_states(plan.runs_folder, plan.by_id)
    yield f"sweep    {plan.folder}"
    for run in plan.runs:
        values = " ".join(
            f"{key}={value_as_text(value)}" for key, value in run.trial.values.items()
        )
        yield f"  {run.run_id}  {states[run.run_id].status:<11}  {values}"
    left = [
        r for r in plan.runs if not needs_no_training(states[r.run_id].status, r.trial.settings)
    ]
    yield f"runs     {plan.size}, {len(plan.runs) - len(left)} of them done"
    if not left:
        return
    slots = slots_of(launcher, left[0].trial.settings)
    examples = latest_samples(plan.runs_folder, run_folders(plan.runs_folder))
    durations = DurationModel(examples, slots[0].threads)
    seconds = [
        seconds_left(_start(states[r.run_id], r.trial.settings), r.cost, durations)
        for r in launch_order(left)
    ]
    whole = makespan([], seconds, len(slots))
    yield f"jobs     {len(slots)} at a time, {slots[0].threads or 'all'} threads each"
    if whole is None:
        yield "time     unknown: no run is done yet to judge by"
        return
    yield f"time     about {duration(START_SECONDS + whole)}"


def _start(state: RunState, settings: Settings) -> RunState:
    """Where training would begin: a rerun at its beginning."""
    return RunState(state.run_id) if settings.rerun and state.status in TERMINAL else state


def slots_of(launcher: Mapping[str, Any], settings: Settings) -> list[Slot]:
    """How the launcher divides this machine; of launchers not our own, by their `n_jobs`."""
    cores = available_cores()
    if launcher.get("_target_") != TARGET:
        jobs = int(launcher.get("n_jobs") or 1)
        return [Slot()] * max(1, jobs if jobs > 0 else cores + 1 + jobs)  # joblib's -1: all
    options = {key: value for key, value in launcher.items() if key != "_target_"}
    accelerators: list[str] = []
    if settings.trainer.device != "cpu":
        from cifar_exp.sweeps.launchers.local.worker import accelerators as found  # imports torch

        accelerators = found()
    return divide(LocalOptions.model_validate(options), accelerators, cores, total_memory_gb())
