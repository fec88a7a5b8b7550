"""ReportInputs -> runs and histories: each run read once, the newest of equal ones kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cifar_exp.analysis.load.cache import Cache, ParsedRun, save_cache
from cifar_exp.analysis.load.discover import ReportInputs, Skipped
from cifar_exp.analysis.load.histories import read_histories
from cifar_exp.analysis.load.parse import (
    FILES,
    RUN,
    UnreadableError,
    as_record,
    read_record,
    signature,
)
from cifar_exp.storage.lock import lock_holder
from cifar_exp.storage.record import TERMINAL, RunRecord
from cifar_exp.storage.run_folder import METRICS
from cifar_exp.storage.run_state import RunState


@dataclass(frozen=True)
class LoadedRun:
    """A run: where it lies, what it recorded, how it stands now, and why it did not complete.

    Status and reason are those of `RunState`, which `status` and the live table show too.
    """

    folder: Path
    record: RunRecord
    status: str
    reason: str | None


@dataclass(frozen=True)
class LoadedRuns:
    """`runs` by id; `history` has a row a run and epoch, with the run's id in `run_id`.

    `keep` writes what was parsed into a report's folder, if there is anything new.
    """

    runs: Mapping[str, LoadedRun]
    history: pd.DataFrame
    left_out: Sequence[Skipped]
    keep: Callable[[Path], None]


def load(places: ReportInputs, report: Path) -> LoadedRuns:
    """Read all runs; what is unchanged since the last report in `report` comes from its cache.

    Nothing is written.
    """
    cache = Cache.load(report)
    left_out = list(places.left_out)
    parsed, history = _parse(places.runs, cache, left_out)
    is_new = parsed.keys() != cache.entries.keys() or any(p.is_fresh for p in parsed.values())
    runs = [_loaded(run) for run in parsed.values()]
    left_out += [
        Skipped(str(run.folder), complaint)
        for run in parsed.values()
        for complaint in run.complaints
    ]
    chosen, own_history = _without_equals(runs, history, left_out)

    def keep(folder: Path) -> None:
        if is_new:
            save_cache(folder, parsed, history)

    return LoadedRuns(chosen, own_history, left_out, keep)


def _parse(
    folders: Sequence[Path], cache: Cache, left_out: list[Skipped]
) -> tuple[dict[str, ParsedRun], pd.DataFrame]:
    """What is known of each folder by its full path, and all histories by the run's place."""
    found = [run for folder in folders if (run := _known_or_read(folder, cache, left_out))]
    fresh = {place: run.folder for place, run in enumerate(found) if run.is_fresh}
    known = {place: run.folder for place, run in enumerate(found) if not run.is_fresh}
    new = read_histories(fresh)
    for place in fresh:
        complaints = [*_missing(found[place]), *new.complaints.get(place, ())]
        found[place] = replace(found[place], complaints=complaints)
    history = _joined(cache.history(known), new.frame)
    return {str(run.folder.resolve()): run for run in found}, history


def _missing(run: ParsedRun) -> Iterator[str]:
    is_there = run.signature[2 * FILES.index("metrics.csv")] >= 0
    if run.record["status"] == "completed" and not is_there:
        yield "is completed and has no metrics.csv"


def _known_or_read(folder: Path, cache: Cache, left_out: list[Skipped]) -> ParsedRun | None:
    stamp = signature(folder)  # before reading: what changes meanwhile is read again next time
    known = cache.find(folder, stamp)
    if known is not None:
        return known
    try:
        record = read_record(folder).model_dump(mode="json")
    except UnreadableError as error:
        left_out.append(Skipped(str(folder), str(error)))
        return None
    content = {"schema": record.pop("schema_version"), **record}
    return ParsedRun(folder, stamp, content, is_fresh=True)


def _joined(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    frames = [frame for frame in (old, new) if len(frame)]
    if not frames:
        return pd.DataFrame(columns=[RUN, *METRICS], dtype=float).astype({RUN: int})
    return pd.concat(frames, ignore_index=True).sort_values([RUN, "epoch"], ignore_index=True)


def _loaded(parsed: ParsedRun) -> LoadedRun:
    folder, record = parsed.folder, as_record(parsed.record)
    runs, owner = folder.resolve().parent, None
    if record.status not in TERMINAL and runs.name == "runs":  # a final run's holder makes a rerun
        owner = lock_holder(runs, record.run_id)
    state = RunState(record.run_id, folder, record, owner)
    return LoadedRun(folder, record, state.status, state.reason)


def _without_equals(
    runs: Sequence[LoadedRun], history: pd.DataFrame, left_out: list[Skipped]
) -> tuple[dict[str, LoadedRun], pd.DataFrame]:
    """Of folders with the same run id (copies), the completed one, or the latest, counts."""
    chosen: dict[str, int] = {}
    for place, run in enumerate(runs):
        other = chosen.get(run.record.run_id)
        if other is None:
            chosen[run.record.run_id] = place
            continue
        better, worse = sorted((other, place), key=lambda p: _standing(runs[p]), reverse=True)
        chosen[run.record.run_id] = better
        left_out.append(
            Skipped(str(runs[worse].folder), f"is the same run as {runs[better].folder}")
        )
    ids = {place: run_id for run_id, place in chosen.items()}
    kept = history[history[RUN].isin(list(ids))]
    kept = kept.assign(**{RUN: kept[RUN].map(ids)}).rename(columns={RUN: "run_id"})
    return {i: runs[p] for i, p in chosen.items()}, kept.reset_index(drop=True)


def _standing(run: LoadedRun) -> tuple[bool, str]:
    return run.status == "completed", run.record.finished_at or run.record.started_at
