"""From a request to its outcome: find the run, hold it, and train what is missing."""

from collections.abc import Callable

from cifar_exp.config.identity import run_id
from cifar_exp.config.schema import DataSection, Settings
from cifar_exp.data.dataset import Dataset, Report
from cifar_exp.data.sources import load_dataset, missing_data
from cifar_exp.errors import UserError
from cifar_exp.runs.directory import find_run, link_latest
from cifar_exp.runs.environment import environment
from cifar_exp.runs.interruption import stop_on_signals
from cifar_exp.runs.lock import HeldElsewhereError, held, holder
from cifar_exp.runs.progress import Teller, tell_figures
from cifar_exp.runs.record import FINAL, RunRecord, Segment, is_left
from cifar_exp.runs.request import Outcome, Request, folder_to_fill
from cifar_exp.runs.settling import settle, settle_held

Load = Callable[[DataSection, Report], Dataset]


def execute(request: Request, load: Load = load_dataset) -> Outcome:
    """Train the run, or what is missing of it, or return it if it is done.

    `load` reads the images; a process that makes many runs reads them once.

    Raises UserError before anything is made, HeldElsewhereError where another process trains it,
    OutsideError where the data cannot be fetched, Interrupted after a signal, all saved.
    """
    teller = Teller("none" if request.is_silent else request.settings.trainer.progress)
    absent = missing_data(request.settings.data)
    if absent:
        raise UserError(absent)
    with stop_on_signals(request.time_limit) as stop:
        identity = identify(request.settings, teller.report, load)
        has_replaced = settle(request.runs, identity)
        done = _finished(request, identity, teller, has_replaced)
        if done is not None:
            return done
        owner = holder(request.runs, identity)
        if owner is not None:  # known before any work
            raise HeldElsewhereError.by(identity, owner)
        # torch takes seconds to import: a run that is done is told without it
        from cifar_exp.runs.assembly import make_parts, prepare_compute
        from cifar_exp.runs.run import HeldRun

        before = _last_segment(request, identity)
        compute = prepare_compute(request.settings, before, request.slot)
        dataset = load(request.settings.data, teller.report)
        teller.close()
        parts = make_parts(request.settings, dataset, compute, request.runs)
        with held(request.runs, identity):
            # by the one who held it until now
            has_replaced = settle_held(request.runs, identity)
            done = _finished(request, identity, teller, has_replaced)
            return done or HeldRun(request, identity, parts, teller, stop).go()


def identify(settings: Settings, report: Report, load: Load = load_dataset) -> str:
    """The run's id; of data=folder the images are read for it. Raises as `load_dataset` does."""
    if settings.data.name != "folder":
        return run_id(settings)
    return run_id(settings, load(settings.data, report).fingerprint)


def _last_segment(request: Request, identity: str) -> Segment | None:
    home = find_run(request.runs, identity)
    record = RunRecord.load(folder_to_fill(home)) if home else None
    return record.segments[-1] if record and record.segments else None


def _finished(
    request: Request, identity: str, teller: Teller, has_replaced: bool
) -> Outcome | None:
    """The run, where it is done: also by a rerun that only had to take its place yet."""
    path = find_run(request.runs, identity)
    record = RunRecord.load(path) if path else None
    if path is None or record is None:
        return None
    if not has_replaced and not is_left(record.status, request.settings):
        return None
    made = f"{record.status} on {record.finished_at}"
    commit, ours = record.environment.get("git_commit"), environment()["git_commit"]
    if commit != ours:
        made += f" by another commit ({(commit or 'unknown')[:10]})"
    advice = (
        "rerun=true trains it anew" if record.status in FINAL else "retry_failed=true tries again"
    )
    teller.line(f"run      {path}")
    teller.line(f"done     {made}; {advice}")
    if record.error is not None:
        teller.line(f"because  {record.error.message}")
    tell_figures(record, teller)
    link_latest(request.outputs, path)
    return Outcome(path, record)
