"""`plan=true`: the runs, with id and status, and an estimate of the time for the missing ones."""

from typing import Any

from cifar_exp.storage.run_folder import new_path
from cifar_exp.sweeps.forecast import Machine, forecast
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.progress import Progress
from cifar_exp.sweeps.search.registry import make_source
from cifar_exp.terminal import PrintLine
from cifar_exp.text import duration, value_as_text

LISTED = 20  # runs, unless all are asked for


def dry_run(
    plan: Plan, machine: Machine, print_line: PrintLine, *, shows_all: bool = False
) -> None:
    """Print the plan. Nothing is trained or written."""
    progress = Progress.of(plan, make_source(plan))
    if plan.is_sweep:
        _print_sweep(progress, print_line, shows_all=shows_all)
    else:
        print_line(f"run      {_folder(progress)}")
        print_line(f"status   {progress.states[plan.runs[0].run_id].status}")
    if progress.to_train == 0:
        return
    found = forecast(progress, machine, print_line)
    if found.seconds is None:
        print_line(f"time     unknown: {found.basis}")
    else:
        print_line(f"time     about {duration(found.seconds)}, {found.basis}")


def plan_as_json(plan: Plan, machine: Machine) -> dict[str, Any]:
    """The plan as docs/formats.md describes it."""
    progress = Progress.of(plan, make_source(plan))
    is_done = progress.to_train == 0
    found = None if is_done else forecast(progress, machine, lambda _, **__: None)
    return {
        "sweep": plan.name if plan.is_sweep else None,
        "folder": _folder(progress),
        "grid": progress.outlook.what if progress.outlook else plan.grid,
        "trials": progress.outlook.most if progress.outlook else plan.trials,
        "done": progress.done,
        "to_train": progress.to_train,
        "jobs": len(found.slots) if found else None,
        "threads": found.slots[0].threads if found else None,
        "seconds": found.seconds if found else 0.0,
        "basis": found.basis if found else None,
        "runs": [_run_as_json(progress, run) for run in progress.runs],
    }


def _run_as_json(progress: Progress, run: PlannedRun) -> dict[str, Any]:
    state = progress.states[run.run_id]
    return {
        "run_id": run.run_id,
        "folder": str(state.folder) if state.folder else None,
        "status": state.status,
        "is_missing": run in progress.missing,
        "values": dict(run.trial.values),
        "pflop": run.cost.pflop if run.cost else None,
    }


def _folder(progress: Progress) -> str:
    """The sweep's folder; of a single run the one that it has, or would get."""
    plan = progress.plan
    if plan.is_sweep:
        return str(plan.folder)
    (run,) = plan.runs
    new = new_path(plan.runs_folder, run.trial.label, run.run_id)
    return str(progress.states[run.run_id].folder or new)


def _print_sweep(progress: Progress, print_line: PrintLine, *, shows_all: bool) -> None:
    plan = progress.plan
    for line in plan.heading:
        print_line(line)
    print_line(str(progress))
    if plan.search is not None:
        for dimension in plan.search.space.dimensions:
            print_line(f"  {dimension}")
    listed = progress.runs if shows_all else progress.runs[:LISTED]
    for run in listed:
        values = " ".join(f"{key}={value_as_text(v)}" for key, v in run.trial.values.items())
        status = progress.states[run.run_id].status
        print_line(f"  {run.run_id}  {status:<11}  {values}".rstrip())
    if len(listed) < len(progress.runs):
        more = len(progress.runs) - len(listed)
        print_line(f"         and {more} more; plan=all lists every run")
    seeds = {run.trial.settings.seed for run in plan.runs}
    if len(plan.runs) > 1 and len(seeds) == 1:
        print_line("note     one seed each: seed=0,1,2 or more would separate effects from noise")
