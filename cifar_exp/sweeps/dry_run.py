"""`plan=true`: list the runs, with id and status, and estimate the time for the missing ones."""

from collections.abc import Callable, Iterator, Sequence

from cifar_exp.config.schema import Settings
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.record import TERMINAL, needs_no_training
from cifar_exp.storage.run_state import RunState, read_states, run_folders
from cifar_exp.sweeps.duration import DurationModel, makespan, seconds_left
from cifar_exp.sweeps.monitor.snapshot import latest_samples
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.sweep import launch_order
from cifar_exp.text import counted, duration, value_as_text

START_SECONDS = 5.0  # workers import torch once


def dry_run(plan: Plan, capacity: Callable[[], Sequence[Slot]]) -> Iterator[str]:
    """The lines of the plan. Nothing is trained or written.

    `capacity` gives the executor's slots. It is called only if a run is missing, as it may have to
    import torch.
    """
    states = read_states(plan.runs_folder, plan.by_id)
    yield f"sweep    {plan.folder}"
    for run in plan.runs:
        values = " ".join(f"{key}={value_as_text(v)}" for key, v in run.trial.values.items())
        yield f"  {run.run_id}  {states[run.run_id].status:<11}  {values}"
    missing = [r for r in plan.runs if not _is_done(states[r.run_id], r)]
    yield f"runs     {plan.size}; {len(plan.runs) - len(missing)} already done"
    if not missing:
        return
    slots = capacity()
    yield f"jobs     {len(slots)} at a time, {_threads(slots[0])} each"
    samples = latest_samples(plan.runs_folder, run_folders(plan.runs_folder))
    durations = DurationModel(samples, slots[0].threads)
    seconds = [
        seconds_left(_start(states[r.run_id], r.trial.settings), r.cost, durations)
        for r in launch_order(missing)
    ]
    total = makespan([], seconds, len(slots))
    if total is None:
        yield f"time     unknown: {_why_unknown(durations)}"
        return
    yield f"time     about {duration(START_SECONDS + total)}"


def _threads(slot: Slot) -> str:
    return "all threads" if slot.threads is None else counted(slot.threads, "thread")


def _is_done(state: RunState, run: PlannedRun) -> bool:
    return needs_no_training(state.status, run.trial.settings)


def _why_unknown(durations: DurationModel) -> str:
    if durations.points:
        return "the cost of these networks is not known before they train"
    return "there is no completed run to estimate from"


def _start(state: RunState, settings: Settings) -> RunState:
    """The state from which training starts: a rerun starts from the beginning."""
    return RunState(state.run_id) if settings.rerun and state.status in TERMINAL else state
