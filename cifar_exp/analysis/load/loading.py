"""Places -> runs and histories: each run read once, the newest of equal ones kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cifar_exp.analysis.load.cache import Cache, Parsed, save_cache
from cifar_exp.analysis.load.histories import RUN, read_histories
from cifar_exp.analysis.load.places import LeftOut, Places
from cifar_exp.analysis.load.reading import UnreadableError, as_record, read_record, signature
from cifar_exp.runs.directory import METRICS
from cifar_exp.runs.lock import holder
from cifar_exp.runs.record import FINAL, RunRecord


@dataclass(frozen=True)
class LoadedRun:
    """A run: where it lies, what it recorded, and how it stands now.

    `status` is the record's, but `interrupted` where the process that recorded `running` is gone.
    """

    folder: Path
    record: RunRecord
    status: str


@dataclass(frozen=True)
class Loaded:
    """`runs` by id; `history` has a row a run and epoch, with the run's id in `run_id`."""

    runs: Mapping[str, LoadedRun]
    history: pd.DataFrame
    left_out: Sequence[LeftOut]


def load(places: Places, report: Path) -> Loaded:
    """Read all runs; what is unchanged since the last report into `report` comes from its cache."""
    cache = Cache.load(report)
    signatures = {folder: signature(folder) for folder in places.runs}
    known = {f: hit for f, s in signatures.items() if (hit := cache.find(f.resolve(), s))}
    left_out = list(places.left_out)
    fresh = _read_fresh([f for f in places.runs if f not in known], signatures, left_out)
    numbered = {place: f for place, f in enumerate(places.runs) if f in known or f in fresh}
    old = cache.history({p: f.resolve() for p, f in numbered.items() if f in known})
    new = read_histories({p: f for p, f in numbered.items() if f in fresh})
    parsed = {p: known[f] if f in known else fresh[f] for p, f in numbered.items()}
    for place, complaints in new.complaints.items():
        parsed[place] = replace(parsed[place], complaints=complaints)
    history = _joined(old, new.frame)
    if fresh or len(cache.entries) != len(parsed):
        save_cache(report, {p: (numbered[p].resolve(), parsed[p]) for p in numbered}, history)
    runs = {p: _loaded(numbered[p], parsed[p]) for p in numbered}
    left_out += [
        LeftOut(str(runs[p].folder), f"without {complaint}")
        for p in numbered
        for complaint in parsed[p].complaints
    ]
    return _without_equals(runs, history, left_out)


def _read_fresh(
    folders: Sequence[Path], signatures: Mapping[Path, Sequence[int]], left_out: list[LeftOut]
) -> dict[Path, Parsed]:
    found = {}
    for folder in folders:
        try:
            record = read_record(folder)
        except UnreadableError as error:
            left_out.append(LeftOut(str(folder), str(error)))
            continue
        content = record.model_dump(mode="json")
        content["schema"] = content.pop("schema_version")
        found[folder] = Parsed(signatures[folder], content, ())
    return found


def _joined(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    frames = [frame for frame in (old, new) if len(frame)]
    if not frames:
        return pd.DataFrame(columns=[RUN, *METRICS], dtype=float).astype({RUN: int})
    return pd.concat(frames, ignore_index=True).sort_values([RUN, "epoch"], ignore_index=True)


def _loaded(folder: Path, parsed: Parsed) -> LoadedRun:
    record = as_record(parsed.record)
    status: str = record.status
    if status not in FINAL:
        home = folder.resolve()
        is_held = home.parent.name == "runs" and holder(home.parent, record.run_id) is not None
        if is_held or status == "running":
            status = "running" if is_held else "interrupted"
    return LoadedRun(folder, record, status)


def _without_equals(
    runs: Mapping[int, LoadedRun], history: pd.DataFrame, left_out: list[LeftOut]
) -> Loaded:
    """Of folders with the same run id (copies), the completed one, or the latest, counts."""
    chosen: dict[str, int] = {}
    for place, run in runs.items():
        other = chosen.get(run.record.run_id)
        if other is None:
            chosen[run.record.run_id] = place
            continue
        better, worse = sorted((other, place), key=lambda p: _standing(runs[p]), reverse=True)
        chosen[run.record.run_id] = better
        left_out.append(
            LeftOut(str(runs[worse].folder), f"is the same run as {runs[better].folder}")
        )
    ids = {place: run_id for run_id, place in chosen.items()}
    kept = history[history[RUN].isin(list(ids))]
    kept = kept.assign(**{RUN: kept[RUN].map(ids)}).rename(columns={RUN: "run_id"})
    return Loaded({i: runs[p] for i, p in chosen.items()}, kept.reset_index(drop=True), left_out)


def _standing(run: LoadedRun) -> tuple[bool, str]:
    return run.status == "completed", run.record.finished_at or run.record.started_at
