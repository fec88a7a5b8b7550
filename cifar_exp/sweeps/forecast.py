"""`plan=true`: the runs with their ids, what is done already, and the time for the rest."""

from collections.abc import Iterator, Mapping
from typing import Any

from cifar_exp.config.schema import Settings
from cifar_exp.runs.progress import duration
from cifar_exp.runs.record import FINAL, is_left
from cifar_exp.runs.request import Slot
from cifar_exp.runs.state import RunState, read_states, run_folders
from cifar_exp.sweeps.durations import Durations, seconds_left, time_to_end
from cifar_exp.sweeps.folder import as_text
from cifar_exp.sweeps.local.division import available_cores, divide, total_memory_gb
from cifar_exp.sweeps.local.options import TARGET, LocalOptions
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.snapshot import latest_examples
from cifar_exp.sweeps.sweeping import in_turn

START_SECONDS = 5.0  # workers import torch once


def forecast(plan: Plan, launcher: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the plan. Nothing is trained and nothing written."""
    states = read_states(plan.runs_folder, plan.by_id)
    yield f"sweep    {plan.folder}"
    for run in plan.runs:
        values = " ".join(f"{key}={as_text(value)}" for key, value in run.cell.values.items())
        yield f"  {run.run_id}  {states[run.run_id].status:<11}  {values}"
    left = [r for r in plan.runs if not is_left(states[r.run_id].status, r.cell.settings)]
    yield f"runs     {plan.size}, {len(plan.runs) - len(left)} of them done"
    if not left:
        return
    slots = slots_of(launcher, left[0].cell.settings)
    examples = latest_examples(plan.runs_folder, run_folders(plan.runs_folder))
    durations = Durations(examples, slots[0].threads)
    seconds = [
        seconds_left(_start(states[r.run_id], r.cell.settings), r.effort, durations)
        for r in in_turn(left)
    ]
    whole = time_to_end([], seconds, len(slots))
    yield f"jobs     {len(slots)} at a time, {slots[0].threads or 'all'} threads each"
    if whole is None:
        yield "time     unknown: no run is done yet to judge by"
        return
    yield f"time     about {duration(START_SECONDS + whole)}"


def _start(state: RunState, settings: Settings) -> RunState:
    """Where training would begin: a rerun at its beginning."""
    return RunState(state.run_id) if settings.rerun and state.status in FINAL else state


def slots_of(launcher: Mapping[str, Any], settings: Settings) -> list[Slot]:
    """How the launcher divides this machine; of launchers not our own, by their `n_jobs`."""
    cores = available_cores()
    if launcher.get("_target_") != TARGET:
        jobs = int(launcher.get("n_jobs") or 1)
        return [Slot()] * max(1, jobs if jobs > 0 else cores + 1 + jobs)  # joblib's -1: all
    options = {key: value for key, value in launcher.items() if key != "_target_"}
    accelerators: list[str] = []
    if settings.trainer.device != "cpu":
        from cifar_exp.sweeps.local.worker import accelerators as found  # imports torch

        accelerators = found()
    return divide(LocalOptions.model_validate(options), accelerators, cores, total_memory_gb())
