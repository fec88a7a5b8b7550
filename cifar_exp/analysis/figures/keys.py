"""Keys of figures: equal keys mean equal figures, which need not be drawn again."""

import hashlib
import json
from functools import cache
from pathlib import Path

import pandas as pd

from cifar_exp.analysis.figures.base import KINDS, FigureData, FigureSpec, PlannedFigure
from cifar_exp.storage.predictions import NAME

HEAD = 4096  # bytes at a file's start that hold its key
COLUMNS = ["configuration", "seed", "status", "value", "test_accuracy", "train_seconds", "pflop"]
CODE = ("figures", "statistics")  # the packages whose source decides what a figure looks like


def figure_key(spec: FigureSpec, data: FigureData) -> str:
    """A hash over everything that a figure is drawn from, the code among it."""
    statistics = data.statistics
    hashes = [_code(), spec.name, statistics.metric.name, str(statistics.baseline)]
    hashes += [str(getattr(statistics, "worth", None)), _frame(_values(data))]
    if spec.inputs == "curves":
        hashes += [_frame(statistics.history), _frame(statistics.paused_history)]
    if spec.inputs == "progress":
        hashes.append(_frame(data.progress))
    if spec.inputs == "predictions":
        hashes.append(json.dumps([_stamp(run.folder / NAME) for run in data.best_runs]))
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()[:16]


def is_drawn(figure: PlannedFigure) -> bool:
    """Whether all files of a figure are there and name its key."""
    key = str(figure.key).encode()
    return all(key in _head(figure.path(kind)) for kind in KINDS)


def _values(data: FigureData) -> pd.DataFrame:
    runs, factors = data.statistics.runs, data.statistics.factors
    return runs[[*COLUMNS, *(factor.key for factor in factors)]].reset_index()


def _frame(frame: pd.DataFrame) -> str:
    """A hash over a frame's columns, in their order, and its rows."""
    found = hashlib.sha256(json.dumps(list(frame.columns)).encode())
    found.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return found.hexdigest()


def _stamp(path: Path) -> list[str | int]:
    try:
        stat = path.stat()
    except OSError:
        return [path.parent.name]
    return [path.parent.name, stat.st_size, stat.st_mtime_ns]


@cache
def _code() -> str:
    """A hash over the source of all that draws or computes."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(path for name in CODE for path in (root / name).rglob("*.py"))
    return hashlib.sha256(b"\n".join(path.read_bytes() for path in files)).hexdigest()


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except OSError:
        return b""
