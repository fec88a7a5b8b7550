"""From a request to its outcome: find the run, hold it, and train what is missing."""

from cifar_exp.config.identity import run_id
from cifar_exp.data.sources import load_dataset, missing_data
from cifar_exp.errors import UserError
from cifar_exp.runs.directory import find_run, link_latest
from cifar_exp.runs.environment import environment
from cifar_exp.runs.interruption import stop_on_signals
from cifar_exp.runs.lock import held
from cifar_exp.runs.progress import Teller, tell_figures
from cifar_exp.runs.record import FINAL, RunRecord, Segment
from cifar_exp.runs.request import Outcome, Request, folder_to_fill


def execute(request: Request) -> Outcome:
    """Train the run, or what is missing of it, or return it if it is done.

    Raises UserError before anything is made, HeldElsewhereError where another process trains it,
    OutsideError where the data cannot be fetched, Interrupted after a signal, all saved.
    """
    teller = Teller(request.settings.trainer.progress)
    absent = missing_data(request.settings.data)
    if absent:
        raise UserError(absent)
    with stop_on_signals() as stop:
        dataset = None
        if request.settings.data.name == "folder":
            dataset = load_dataset(request.settings.data, teller.report)
        identity = run_id(request.settings, dataset.fingerprint if dataset else None)
        done = _finished(request, identity, teller)
        if done is not None:
            return done
        # torch takes seconds to import: a run that is done is told without it
        from cifar_exp.runs.assembly import make_parts, prepare_compute
        from cifar_exp.runs.run import HeldRun

        compute = prepare_compute(request.settings, _last_segment(request, identity))
        dataset = dataset or load_dataset(request.settings.data, teller.report)
        teller.close()
        parts = make_parts(request.settings, dataset, compute, request.runs)
        with held(request.runs, identity):
            done = _finished(request, identity, teller)  # by the one who held it until now
            return done or HeldRun(request, identity, parts, teller, stop).go()


def _last_segment(request: Request, identity: str) -> Segment | None:
    home = find_run(request.runs, identity)
    record = RunRecord.load(folder_to_fill(home)) if home else None
    return record.segments[-1] if record and record.segments else None


def _finished(request: Request, identity: str, teller: Teller) -> Outcome | None:
    path = find_run(request.runs, identity)
    record = RunRecord.load(path) if path else None
    if path is None or record is None or record.status not in FINAL or request.settings.rerun:
        return None
    made = f"{record.status} on {record.finished_at}"
    commit, ours = record.environment.get("git_commit"), environment()["git_commit"]
    if commit != ours:
        made += f" by another commit ({(commit or 'unknown')[:10]})"
    teller.line(f"run      {path}")
    teller.line(f"done     {made}; rerun=true trains it anew")
    if record.error is not None:
        teller.line(f"because  {record.error.message}")
    tell_figures(record, teller)
    link_latest(request.outputs, path)
    return Outcome(path, record)
