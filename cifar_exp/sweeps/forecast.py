"""How long the missing runs of a plan will take, and where."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cifar_exp.config.schema import Settings
from cifar_exp.machine import available_cores
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.record import TERMINAL
from cifar_exp.storage.run_state import RunState, run_folders
from cifar_exp.sweeps.duration import DurationModel, TimingSample, makespan, seconds_left
from cifar_exp.sweeps.monitor.snapshot import latest_samples
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.probe import Probe, to_probe
from cifar_exp.sweeps.progress import Progress
from cifar_exp.sweeps.search.grid import launch_order
from cifar_exp.terminal import PrintLine
from cifar_exp.text import counted

START_SECONDS = 5.0  # workers import torch once


@dataclass(frozen=True)
class Machine:
    """Where runs would be trained: an executor's slots, and what times a training step there.

    Both are called only when they are needed, as they may have to import torch. `probe` is None
    where runs are trained on other machines than this one.
    """

    capacity: Callable[[], Sequence[Slot]]
    probe: Probe | None


@dataclass(frozen=True)
class Forecast:
    """The slots of the missing runs, and the seconds that they would take, None if unknown.

    `basis` says what the seconds are estimated from, or why they are unknown.
    """

    slots: Sequence[Slot]
    seconds: float | None
    basis: str


def forecast(progress: Progress, machine: Machine, print_line: PrintLine) -> Forecast:
    """Predict the time of the missing runs from completed ones, else from a measured step."""
    slots = _slots(progress, machine, print_line)
    runs = progress.plan.runs_folder
    samples: Sequence[TimingSample] = latest_samples(runs, run_folders(runs))
    basis = "from completed runs"
    wanted = [] if samples else to_probe(progress.missing)
    if machine.probe is None and not samples:
        return Forecast(slots, None, "no run has completed yet on the machines of this launcher")
    if wanted and machine.probe is not None:
        print_line("probe    no run has completed yet: timing a training step")
        samples = machine.probe(wanted, slots[0])
        basis = "estimated from one training step"
    durations = DurationModel(samples, slots[0].threads)
    seconds = [
        seconds_left(_start(progress.states[r.run_id], r.trial.settings), r.cost, durations)
        for r in launch_order(progress.missing)
    ]
    total = makespan([], seconds, len(slots))
    if total is None:
        return Forecast(slots, None, _why_unknown(progress.missing))
    return Forecast(slots, START_SECONDS + total, basis + _caution(progress.plan))


def _slots(progress: Progress, machine: Machine, print_line: PrintLine) -> Sequence[Slot]:
    if not progress.plan.is_sweep:
        return [Slot(threads=available_cores())]
    slots = machine.capacity()
    threads = slots[0].threads
    each = "all threads" if threads is None else counted(threads, "thread")
    print_line(f"jobs     {len(slots)} at a time, {each} each")
    return slots


def _caution(plan: Plan) -> str:
    rule = plan.settings.pruning.name
    return "" if rule == "none" else f"; an upper bound, because pruning={rule} pauses runs"


def _why_unknown(missing: Sequence[PlannedRun]) -> str:
    if all(run.cost is None for run in missing):
        return "the cost of these networks is not known before they train"
    return "no training step could be timed on this machine"


def _start(state: RunState, settings: Settings) -> RunState:
    """The state from which training starts: a rerun starts from the beginning."""
    return RunState(state.run_id) if settings.rerun and state.status in TERMINAL else state
