"""How long the missing runs of a plan will take, and where."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from cifar_exp.sweeps.search.outlook import Outlook
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
    expected = progress.outlook.expected() if progress.outlook else []
    ahead = [*launch_order(progress.missing), *expected]
    wanted = [] if samples else to_probe(ahead)
    if machine.probe is None and not samples:
        return Forecast(slots, None, "no run has completed yet on the machines of this launcher")
    if wanted and machine.probe is not None:
        print_line("probe    no run has completed yet: timing a training step")
        samples = machine.probe(wanted, slots[0])
        basis = "estimated from one training step"
    durations = DurationModel(samples, slots[0].threads)
    seconds = [
        seconds_left(_start(progress.states.get(r.run_id), r), r.cost, durations) for r in ahead
    ]
    total = makespan([], seconds, len(slots))
    if total is None:
        return Forecast(slots, None, _why_unknown(ahead))
    found = Forecast(slots, START_SECONDS + total, basis + _caution(progress.plan))
    return _within_budget(found, progress.outlook) if progress.outlook else found


def _within_budget(found: Forecast, outlook: Outlook) -> Forecast:
    """The same where a search may end by its budget."""
    minutes, slots = outlook.minutes_left, found.slots
    seconds = math.inf if minutes is None else START_SECONDS + 60 * minutes / len(slots)
    is_endless = outlook.most is None
    if is_endless and minutes is None:
        return Forecast(slots, None, "until search.budget_pflop is used up")
    if found.seconds is None or is_endless or seconds < found.seconds:
        return Forecast(slots, seconds, "until search.budget_minutes is used up")
    return found


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


def _start(state: RunState | None, run: PlannedRun) -> RunState:
    """The state from which training starts: a rerun starts from the beginning."""
    if state is None or (run.trial.settings.rerun and state.status in TERMINAL):
        return RunState(run.run_id)
    return state
