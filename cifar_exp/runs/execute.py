"""From a spec to its outcome: find the run, hold it, and train what is missing."""

from collections.abc import Callable

from cifar_exp.config.identity import run_id
from cifar_exp.config.schema import DataSection, Settings
from cifar_exp.data.dataset import Dataset, ProgressCallback
from cifar_exp.data.registry import is_known_by_content, load_dataset, missing_data_error
from cifar_exp.errors import UserError
from cifar_exp.runs.console import Console, print_metrics
from cifar_exp.runs.requirements import find_weights
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunResult, RunSpec
from cifar_exp.storage.cleanup import settle, settle_held
from cifar_exp.storage.environment import environment
from cifar_exp.storage.lock import RunLockedError, lock_holder, lock_run
from cifar_exp.storage.record import TERMINAL, RunRecord, Segment, needs_no_training
from cifar_exp.storage.run_folder import find_run, link_latest, write_target

Load = Callable[[DataSection, ProgressCallback], Dataset]


def execute(spec: RunSpec, load: Load = load_dataset) -> RunResult:
    """Train the run, or what is missing of it, or return it if it is done.

    `load` reads the images; a process that makes many runs reads them once.

    Raises UserError before anything is made, RunLockedError where another process trains it,
    EnvironmentFailure where the data cannot be fetched, Interrupted after a signal, all saved.
    """
    console = Console("none" if spec.is_silent else spec.settings.trainer.progress)
    absent = missing_data_error(spec.settings.data)
    if absent:
        raise UserError(absent)
    with stop_on_signals(spec.time_limit) as stop:
        identity = spec.run_id or identify(spec.settings, console.update, load)
        has_replaced = settle(spec.runs, identity)
        done = _finished(spec, identity, console, has_replaced)
        if done is not None:
            return done
        holder = lock_holder(spec.runs, identity)
        if holder is not None:  # known before any work
            raise RunLockedError.by(identity, holder)
        if spec.settings.init_from is not None:  # known before images are read, or downloaded
            find_weights(spec.runs, spec.settings.init_from)
        # torch takes seconds to import: a run that is done is told without it
        from cifar_exp.runs.build import build_components, prepare_compute
        from cifar_exp.runs.runner import Runner

        before = _last_segment(spec, identity)
        compute = prepare_compute(spec.settings, before, spec.slot)
        dataset = load(spec.settings.data, console.update)
        console.close()
        components = build_components(spec.settings, dataset, compute, spec.runs)
        with lock_run(spec.runs, identity):
            # by the one who held it until now
            has_replaced = settle_held(spec.runs, identity)
            done = _finished(spec, identity, console, has_replaced)
            return done or Runner(spec, identity, components, console, stop).run()


def identify(settings: Settings, report: ProgressCallback, load: Load = load_dataset) -> str:
    """The run's id; of data=folder the images are read for it. Raises as `load_dataset` does."""
    if not is_known_by_content(settings.data):
        return run_id(settings)
    return run_id(settings, load(settings.data, report).fingerprint)


def _last_segment(spec: RunSpec, identity: str) -> Segment | None:
    home = find_run(spec.runs, identity)
    record = RunRecord.load(write_target(home)) if home else None
    return record.segments[-1] if record and record.segments else None


def _finished(
    spec: RunSpec, identity: str, console: Console, has_replaced: bool
) -> RunResult | None:
    """The run, where it is done: also by a rerun that only had to take its place yet."""
    path = find_run(spec.runs, identity)
    record = RunRecord.load(path) if path else None
    if path is None or record is None:
        return None
    if not has_replaced and not needs_no_training(record.status, spec.settings):
        return None
    made = f"{record.status} on {record.finished_at}"
    commit, ours = record.environment.get("git_commit"), environment()["git_commit"]
    if commit != ours:
        made += f" by another commit ({(commit or 'unknown')[:10]})"
    advice = (
        "rerun=true trains it anew"
        if record.status in TERMINAL
        else "retry_failed=true tries again"
    )
    console.print(f"run      {path}")
    console.print(f"done     {made}; {advice}")
    if record.error is not None:
        console.print(f"because  {record.error.message}")
    print_metrics(record, console)
    link_latest(spec.outputs, path)
    return RunResult(path, record)
