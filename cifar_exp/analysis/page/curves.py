"""The runs' curves, packed for the page: two bytes a value, as text that JSON can hold."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

SERIES = (
    "train_accuracy",
    "val_accuracy",
    "train_eval_accuracy",
    "train_loss",
    "val_loss",
    "train_eval_loss",
    "lr",
)
MISSING, ZERO, LARGEST = 65535, 65534, 65533  # codes: no value, exactly 0, and `high`
MOST_VALUES = 100_000  # of a series; beyond that, epochs are left out evenly


def pack_curves(history: pd.DataFrame, run_ids: Sequence[str]) -> dict[str, Any]:
    """The curves of these runs, from rows with `run_id`, `epoch` and the SERIES (any others are
    left out, and so is a series without a value).

    `epochs`: the different lists of epochs; `grid`: for each run, which of these is its own;
    `series`: by name, the codes of all runs' values one after the other (base64 of little-endian
    16-bit numbers), and the scale to decode them: accuracies between `low` and `high` linearly,
    losses and rates by their logarithm, whose relative error is then the same everywhere.
    """
    positions = pd.Index(run_ids).get_indexer(history["run_id"])
    rows = history[positions >= 0]
    order = np.lexsort((rows["epoch"].to_numpy(), positions[positions >= 0]))
    runs, rows = positions[positions >= 0][order], rows.iloc[order]
    kept = _evenly(runs, len(run_ids))
    runs, rows = runs[kept], rows[kept]
    lists, grid = _grids(rows["epoch"].to_numpy(), runs, len(run_ids))
    packed = {}
    for name in SERIES:
        values = rows[name].to_numpy(dtype=float) if name in rows else np.array([])
        if np.isfinite(values).any():
            packed[name] = _pack(values, is_linear=name.endswith("accuracy"))
    return {"series": packed, "epochs": lists, "grid": grid}


def _evenly(runs: np.ndarray, size: int) -> np.ndarray:
    """Which rows to keep, so that no more than MOST_VALUES are left; a run's last one always is."""
    step = -(-len(runs) // MOST_VALUES) or 1
    lengths = np.bincount(runs, minlength=size)
    ends = np.cumsum(lengths)[runs]  # for each row, where the rows of its run end
    return np.asarray((ends - 1 - np.arange(len(runs))) % step == 0)


def _grids(epochs: np.ndarray, runs: np.ndarray, size: int) -> tuple[list[list[int]], list[int]]:
    ends = np.cumsum(np.bincount(runs, minlength=size))[:-1]
    own = [tuple(part) for part in np.split(epochs.astype(int), ends)] if size else []
    lists = list(dict.fromkeys(own))
    places = {epochs: place for place, epochs in enumerate(lists)}
    return [[int(epoch) for epoch in each] for each in lists], [places[each] for each in own]


def _pack(values: np.ndarray, *, is_linear: bool) -> dict[str, Any]:
    is_known = np.isfinite(values) & (is_linear | (values >= 0))
    is_scaled = is_known & (is_linear | (values > 0))
    scaled = values[is_scaled] if is_linear else np.log(values[is_scaled])
    low, high = (float(scaled.min()), float(scaled.max())) if len(scaled) else (0.0, 0.0)
    codes = np.where(is_known, ZERO, MISSING).astype("<u2")
    codes[is_scaled] = np.rint((scaled - low) / ((high - low) or 1.0) * LARGEST).astype("<u2")
    text = base64.b64encode(codes.tobytes()).decode()
    return {"scale": "linear" if is_linear else "log", "low": low, "high": high, "data": text}
