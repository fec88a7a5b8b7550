"""What was parsed before, in one file beside the report: unchanged runs are not parsed twice.

It can be deleted at any time, and is done without where it cannot be read or written.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cifar_exp
from cifar_exp.analysis.load.parse import RUN
from cifar_exp.storage.atomic import write_whole
from cifar_exp.storage.record import SCHEMA

FORMAT = [1, SCHEMA, cifar_exp.__version__]  # else it may hold what is read otherwise today
NAME = ".cache.npz"


@dataclass(frozen=True)
class ParsedRun:
    """A folder as it was at `signature`: the record as JSON has it, and what could not be read.

    `is_fresh`: it was read just now, and is not from the cache.
    """

    folder: Path
    signature: Sequence[int]
    record: Mapping[str, Any]
    complaints: Sequence[str] = ()
    is_fresh: bool = False


@dataclass(frozen=True)
class Cache:
    """Parsed runs by the full path of their folder, and their epochs in one array."""

    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    datasets: Sequence[Any] = ()  # the same for many runs: kept once
    columns: Sequence[str] = ()
    values: Any = None  # (rows of all histories, columns), float64

    @classmethod
    def load(cls, report: Path) -> "Cache":
        """The cache in a report's folder; empty where there is none that can be used."""
        with (
            suppress(OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile),
            (report / NAME).open("rb") as stream,  # numpy leaves a torn file open
            np.load(stream, allow_pickle=False) as file,
        ):
            content = json.loads(file["content"].tobytes())
            if content["format"] == FORMAT:
                values = file["values"]
                return cls(content["entries"], content["datasets"], content["columns"], values)
        return cls()

    def find(self, folder: Path, signature: Sequence[int]) -> ParsedRun | None:
        """What was parsed of this folder, if its files are as they were."""
        entry = self.entries.get(str(folder.resolve()))
        if entry is None or entry["signature"] != list(signature):
            return None
        record = {**entry["record"], "dataset": self.datasets[entry["dataset"]]}
        return ParsedRun(folder, signature, record, entry["complaints"])

    def history(self, places: Mapping[int, Path]) -> pd.DataFrame:
        """The rows of these runs, which `find` has found, with their places in column `RUN`."""
        ranges = [self.entries[str(path.resolve())]["rows"] for path in places.values()]
        taken = [np.arange(start, stop) for start, stop in ranges]
        rows = np.concatenate(taken) if taken else np.array([], dtype=int)
        values = self.values[rows] if len(rows) else np.empty((0, len(self.columns)))
        frame = pd.DataFrame(values, columns=list(self.columns))
        frame.insert(0, RUN, np.repeat(list(places), [len(rows) for rows in taken]).astype(int))
        return frame


def save_cache(report: Path, parsed: Mapping[str, ParsedRun], history: pd.DataFrame) -> None:
    """Keep these runs, and these alone; `history` is sorted by their places in `parsed`."""
    datasets: dict[str, int] = {}
    entries: dict[str, Any] = {}
    runs = history[RUN].to_numpy()
    for place, (path, run) in enumerate(parsed.items()):
        record = dict(run.record)
        text = json.dumps(record.pop("dataset"))
        entries[path] = {
            "signature": list(run.signature),
            "record": record,
            "dataset": datasets.setdefault(text, len(datasets)),
            "complaints": list(run.complaints),
            "rows": [int(np.searchsorted(runs, place + side)) for side in (0, 1)],
        }
    values = history.drop(columns=RUN)
    content = {
        "format": FORMAT,
        "entries": entries,
        "datasets": [json.loads(text) for text in datasets],
        "columns": list(values.columns),
    }
    packed = np.frombuffer(json.dumps(content).encode(), dtype=np.uint8)
    with suppress(OSError):
        write_whole(
            report / NAME,
            lambda stream: np.savez(stream, content=packed, values=values.to_numpy(dtype=float)),
        )
