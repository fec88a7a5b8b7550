"""Parsed runs, kept in one file in the report's folder: unchanged runs are not parsed again.

The file can be deleted at any time. The report works without it where it cannot be read or written.
"""

import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic_core import from_json, to_json

import cifar_exp
from cifar_exp.analysis.load.curves import RUN
from cifar_exp.storage.atomic import write_whole
from cifar_exp.storage.reading import UnreadableError, open_regular
from cifar_exp.storage.record import SCHEMA, RunRecord, parse_record

FORMAT = [2, SCHEMA, cifar_exp.__version__]  # a cache of another format is ignored
NAME = ".cache.npz"
BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, MemoryError, zipfile.BadZipFile)


@dataclass(frozen=True)
class ParsedRun:
    """A run whose folder had this `signature`; `problems` say what could not be read.

    `real`: the real path of the folder. `is_fresh`: it was read now, rather than taken from the
    cache.
    """

    folder: Path
    real: str
    signature: Sequence[int]
    record: RunRecord
    problems: Sequence[str] = ()
    is_fresh: bool = False


@dataclass(frozen=True)
class Cache:
    """Parsed runs by the real path of their folder, and the epochs of all of them in one array."""

    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    datasets: Sequence[Any] = ()  # kept once, because many runs share one
    columns: Sequence[str] = ()
    values: Any = None  # (rows of all histories, columns), float64

    @classmethod
    def load(cls, report: Path) -> "Cache":
        """The cache in a report's folder; empty if there is none that can be used."""
        with (
            suppress(*BROKEN),
            open_regular(report / NAME) as stream,  # numpy leaves a torn file open
            np.load(stream, allow_pickle=False) as file,
        ):
            content = from_json(file["content"].tobytes())
            if content["format"] == FORMAT:
                values = file["values"]
                return cls(content["entries"], content["datasets"], content["columns"], values)
        return cls()

    def find(self, folder: Path, real: str, signature: Sequence[int]) -> ParsedRun | None:
        """The parsed run of this folder, whose real path is `real`, if its files are unchanged."""
        entry = self.entries.get(real)
        if entry is None or entry["signature"] != list(signature):
            return None
        try:
            record = parse_record({**entry["record"], "dataset": self.datasets[entry["dataset"]]})
        except UnreadableError:
            return None
        return ParsedRun(folder, real, signature, record, entry["problems"])

    def history(self, runs: Mapping[int, str]) -> pd.DataFrame:
        """The epochs of these runs, which `find` has found, with their indices in column `RUN`.

        `runs`: the real path of a run's folder by its index.
        """
        ranges = [self.entries[real]["rows"] for real in runs.values()]
        taken = [np.arange(start, stop) for start, stop in ranges]
        rows = np.concatenate(taken) if taken else np.array([], dtype=int)
        values = self.values[rows] if len(rows) else np.empty((0, len(self.columns)))
        frame = pd.DataFrame(values, columns=list(self.columns))
        frame.insert(0, RUN, np.repeat(list(runs), [len(rows) for rows in taken]).astype(int))
        return frame


def save_cache(report: Path, parsed: Mapping[str, ParsedRun], history: pd.DataFrame) -> None:
    """Replace the cache by these runs; `history` is sorted by their indices in `parsed`."""
    datasets: dict[bytes, int] = {}
    entries: dict[str, Any] = {}
    rows = np.searchsorted(history[RUN], np.arange(len(parsed) + 1)).tolist()
    for index, (path, run) in enumerate(parsed.items()):
        record = run.record.model_dump(mode="json")
        text = to_json(record.pop("dataset"))
        entries[path] = {
            "signature": list(run.signature),
            "record": {"schema": record.pop("schema_version"), **record},
            "dataset": datasets.setdefault(text, len(datasets)),
            "problems": list(run.problems),
            "rows": rows[index : index + 2],
        }
    values = history.drop(columns=RUN)
    content = {
        "format": FORMAT,
        "entries": entries,
        "datasets": [from_json(text) for text in datasets],
        "columns": list(values.columns),
    }
    packed = np.frombuffer(to_json(content), dtype=np.uint8)
    with suppress(OSError):
        write_whole(
            report / NAME,
            lambda stream: np.savez(stream, content=packed, values=values.to_numpy(dtype=float)),
        )
