"""Run folders -> runs and their histories: each run is read once, and copies of it are dropped."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cifar_exp.analysis.load.cache import Cache, ParsedRun, save_cache
from cifar_exp.analysis.load.curves import RUN, read_curves
from cifar_exp.analysis.load.discover import ReportInputs, Skipped
from cifar_exp.analysis.load.signature import FILES
from cifar_exp.storage.lock import lock_holder
from cifar_exp.storage.metrics import METRICS_COLUMNS
from cifar_exp.storage.reading import UnreadableError
from cifar_exp.storage.record import TERMINAL, RunRecord, read_record
from cifar_exp.storage.run_state import RunState


@dataclass(frozen=True)
class LoadedRun:
    """A run: its folder, its record, its status now, and why it did not complete.

    Status and reason are those of `RunState`, which `status` and the live table show too.
    """

    folder: Path
    record: RunRecord
    status: str
    reason: str | None


@dataclass(frozen=True)
class LoadedRuns:
    """`runs` by id; `history` has a row per run and epoch, with the run's id in `run_id`.

    `unsettled`: the folders of runs that may go on without any of their files changing: the folder
    of runs, the id, and whether a process held the run. `save_cache` writes what was parsed into a
    report's folder, if any of it is new.
    """

    runs: Mapping[str, LoadedRun]
    history: pd.DataFrame
    skipped: Sequence[Skipped]
    unsettled: Sequence[tuple[str, str, bool]]
    save_cache: Callable[[Path], None]


def load_runs(inputs: ReportInputs, report: Path) -> LoadedRuns:
    """Read all runs; those unchanged since the last report in `report` come from its cache.

    Nothing is written.
    """
    cache = Cache.load(report)
    skipped = list(inputs.skipped)
    with _collection_paused():
        parsed, history = _parse(inputs, cache, skipped)
    is_new = parsed.keys() != cache.entries.keys() or any(p.is_fresh for p in parsed.values())
    runs = [_with_state(run) for run in parsed.values()]
    unsettled = [
        (str(folder), run.record.run_id, run.status == "running")
        for real, run in zip(parsed, runs, strict=True)
        if (folder := _lock_folder(real, run.record)) is not None
    ]
    skipped += [
        Skipped(str(run.folder), problem) for run in parsed.values() for problem in run.problems
    ]
    chosen, own_history = _deduplicated(runs, history, skipped)

    def save(folder: Path) -> None:
        if is_new:
            save_cache(folder, parsed, history)

    return LoadedRuns(chosen, own_history, skipped, unsettled, save)


def _parse(
    inputs: ReportInputs, cache: Cache, skipped: list[Skipped]
) -> tuple[dict[str, ParsedRun], pd.DataFrame]:
    """The runs by the real path of their folder, and all histories by the runs' indices."""
    # signatures are older: what changes while it is read is read again next time
    folders = zip(inputs.runs, inputs.real_runs, inputs.signatures, strict=True)
    runs = [run for each in folders if (run := _cached_or_read(*each, cache, skipped))]
    fresh = {index: run.folder for index, run in enumerate(runs) if run.is_fresh}
    cached = {index: run.real for index, run in enumerate(runs) if not run.is_fresh}
    curves = read_curves(fresh)
    for index in fresh:
        problems = [*_missing(runs[index]), *curves.problems.get(index, ())]
        runs[index] = replace(runs[index], problems=problems)
    history = _concatenated(cache.history(cached), curves.frame)
    return {run.real: run for run in runs}, history


@contextmanager
def _collection_paused() -> Iterator[None]:
    """No search for garbage: it would go through all records again and again, and find none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _missing(run: ParsedRun) -> Iterator[str]:
    is_there = run.signature[2 * FILES.index("metrics.csv")] >= 0
    if run.record.status == "completed" and not is_there:
        yield "is completed but has no metrics.csv"


def _cached_or_read(
    folder: Path, real: str, signature: Sequence[int], cache: Cache, skipped: list[Skipped]
) -> ParsedRun | None:
    cached = cache.find(folder, real, signature)
    if cached is not None:
        return cached
    try:
        return ParsedRun(folder, real, signature, read_record(folder), is_fresh=True)
    except UnreadableError as error:
        skipped.append(Skipped(str(folder), str(error)))
        return None


def _concatenated(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    frames = [frame for frame in (old, new) if len(frame)]
    if not frames:
        return pd.DataFrame(columns=[RUN, *METRICS_COLUMNS], dtype=float).astype({RUN: int})
    return pd.concat(frames, ignore_index=True).sort_values([RUN, "epoch"], ignore_index=True)


def _with_state(parsed: ParsedRun) -> LoadedRun:
    folder, record = parsed.folder, parsed.record
    runs = _lock_folder(parsed.real, record)
    holder = lock_holder(runs, record.run_id) if runs is not None else None
    state = RunState(record.run_id, folder, record, holder)
    return LoadedRun(folder, record, state.status, state.reason)


def _lock_folder(real: str, record: RunRecord) -> Path | None:
    """The folder of runs that has a run's lock; None if a lock says nothing about this folder."""
    if record.status in TERMINAL:  # the lock is of a rerun
        return None
    runs = Path(real).parent
    return runs if runs.name == "runs" else None


def _deduplicated(
    runs: Sequence[LoadedRun], history: pd.DataFrame, skipped: list[Skipped]
) -> tuple[dict[str, LoadedRun], pd.DataFrame]:
    """Of folders with the same run id (copies), keep the completed one, or else the latest."""
    chosen: dict[str, int] = {}
    for index, run in enumerate(runs):
        other = chosen.get(run.record.run_id)
        if other is None:
            chosen[run.record.run_id] = index
            continue
        better, worse = sorted((other, index), key=lambda i: _priority(runs[i]), reverse=True)
        chosen[run.record.run_id] = better
        skipped.append(
            Skipped(str(runs[worse].folder), f"is the same run as {runs[better].folder}")
        )
    ids = {index: run_id for run_id, index in chosen.items()}
    kept = history[history[RUN].isin(list(ids))]
    kept = kept.assign(**{RUN: kept[RUN].map(ids)}).rename(columns={RUN: "run_id"})
    return {i: runs[p] for i, p in chosen.items()}, kept.reset_index(drop=True)


def _priority(run: LoadedRun) -> tuple[bool, str]:
    return run.status == "completed", run.record.finished_at or run.record.started_at
