"""Execute a spec: find the run, lock it, and train what is missing."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

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
from cifar_exp.storage.lease import LockHolder
from cifar_exp.storage.liveness import LEASE_SECONDS
from cifar_exp.storage.lock import (
    RunLockedError,
    lock_run,
    wait_for_holder,
)
from cifar_exp.storage.record import TERMINAL, RunRecord, Segment, needs_no_training
from cifar_exp.storage.run_folder import RunDirectory, RunFolder, link_latest

Load = Callable[[DataSection, ProgressCallback], Dataset]


def execute(spec: RunSpec, load: Load = load_dataset) -> RunResult:
    """Train the run, continue it, or return it if it is done.

    `load` reads the images; a process that trains many runs reads them once.

    Raises UserError before anything is written, RunLockedError if another process is training the
    run, EnvironmentFailure if the data cannot be downloaded, and Interrupted after a signal, when
    everything is saved.
    """
    console = Console("none" if spec.is_silent else spec.settings.trainer.progress)
    absent = missing_data_error(spec.settings.data)
    if absent:
        raise UserError(absent)
    with stop_on_signals(spec.time_limit) as stop:
        identity = spec.run_id or identify(spec.settings, console.update, load)
        has_replaced = settle(spec.runs, identity)
        folder = RunFolder(spec.runs, spec.label, identity)
        done = _finished(spec, folder, console, has_replaced)
        if done is not None:
            return done
        holder = wait_for_holder(spec.runs, identity, partial(_print_waiting, console))
        if holder is not None:  # known before any work
            raise RunLockedError.by(identity, holder)
        if spec.settings.init_from is not None:  # known before images are read, or downloaded
            find_weights(spec.runs, spec.settings.init_from)
        # torch takes seconds to import: a run that is done is reported without it
        from cifar_exp.runs.build import build_components, prepare_compute
        from cifar_exp.runs.runner import Runner

        compute = prepare_compute(spec.settings, _last_segment(folder), spec.slot)
        dataset = load(spec.settings.data, console.update)
        console.close()
        components = build_components(spec.settings, dataset, compute, spec.runs)
        with lock_run(spec.runs, identity):
            # another process may have held the run until now
            has_replaced = settle_held(spec.runs, identity)
            folder.refresh()
            done = _finished(spec, folder, console, has_replaced)
            return done or Runner(spec, folder, components, console, stop).run()


def identify(settings: Settings, report: ProgressCallback, load: Load = load_dataset) -> str:
    """The run's id; for data=folder, the images are read. Raises as `load_dataset` does."""
    if not is_known_by_content(settings.data):
        return run_id(settings)
    return run_id(settings, load(settings.data, report).fingerprint)


def _print_waiting(console: Console, holder: LockHolder) -> None:
    console.print(
        f"waiting  process {holder.pid} on {holder.host} holds the run; whether it is alive is "
        f"known within {LEASE_SECONDS:g} s"
    )


def _last_segment(folder: RunFolder) -> Segment | None:
    record = folder.write_record
    return record.segments[-1] if record and record.segments else None


def _finished(
    spec: RunSpec, folder: RunFolder, console: Console, has_replaced: bool
) -> RunResult | None:
    """The run, if nothing is left to train; `has_replaced`: a rerun has just taken its place."""
    record = folder.record
    if record is None or not (has_replaced or needs_no_training(record.status, spec.settings)):
        return None
    _print_finished(spec, folder.path, record, console)
    link_latest(spec.outputs, folder.path)
    return RunResult(folder.path, record)


def _print_finished(spec: RunSpec, path: Path, record: RunRecord, console: Console) -> None:
    made = f"{record.status} on {record.finished_at}"
    commit, ours = record.environment.get("git_commit"), environment()["git_commit"]
    if commit != ours:
        made += f" by another commit ({(commit or 'unknown')[:10]})"
    is_final = record.status in TERMINAL
    advice = "rerun=true trains it again" if is_final else "retry_failed=true tries it again"
    console.print(f"run      {path}")
    console.print(f"done     {made}; {advice}")
    if record.error is not None:
        console.print(f"because  {record.error.message}")
    directory = RunDirectory(path)
    if spec.settings.keep == "none" and (directory.last.exists() or directory.best.exists()):
        console.print(
            "note     keep=none removes no checkpoints of a run that is complete already; they are "
            f"in {directory.last.parent}"
        )
    print_metrics(record, console)
