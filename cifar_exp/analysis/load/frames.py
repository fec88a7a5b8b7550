"""Loaded runs -> the tidy frame of runs that all statistics are computed from."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.runs import LoadedRun, LoadedRuns
from cifar_exp.config.identity import NUISANCE

# Columns other than the settings: the results of a run, and how it was made.
RESULTS = (
    "status",
    "seed",
    "val_accuracy",
    "val_loss",
    "best_epoch",
    "best_val_accuracy",
    "test_accuracy",
    "test_top5_accuracy",
    "test_loss",
    "test_ece",
    "test_superclass_accuracy",
    "epochs",
    "epochs_done",
    "train_seconds",
    "pflop",
    "parameters",
    "macs",
    "peak_memory_mb",
)
DATA = ("name", "fingerprint", "split_seed", "train_size", "val_size", "test_size")
COMPUTE = ("device", "device_name", "threads", "precision")
CONTEXT = (
    *DATA,
    *COMPUTE,
    "torch",
    "git_commit",
    "started_at",
    "finished_at",
    "folder",
    "reason",
)
# Runs that differ in one of these were measured on other images, or in another way.
COMPARABLE = (*DATA, "device", "precision")

# Groups whose option is called `name`, whether it was chosen by name or by `_target_`.
GROUPS = ("model", "optimizer", "scheduler")
# Texts that could be mistaken for another value, or for several words.
AMBIGUOUS = re.compile(r"|-|(?i:none|true|false|inf|nan)|[-+.\d].*|[\[{'\"].*|.*[\s=].*", re.DOTALL)
LARGEST_EXACT = 2**53
MISSING = object()  # None is a value


def run_frame(loaded: LoadedRuns) -> pd.DataFrame:
    """A row per run, indexed by run id (text): status, results, compute, data and settings.

    Results are those of the weights that `trainer.evaluate` names; NaN if missing or not finite.
    Settings are columns with dotted names and exact texts, NaN if a run has no such setting; the
    seed, and settings that do not affect results, are not among them.
    """
    epochs = loaded.history.groupby("run_id")["epoch"].max() if len(loaded.history) else {}
    rows = [_row(run, epochs.get(run_id)) for run_id, run in loaded.runs.items()]
    index = pd.Index(list(loaded.runs), name="run_id", dtype=str)
    frame = pd.DataFrame(rows, index, ["run", "label", *RESULTS, *CONTEXT])
    numbers = frame.select_dtypes(float)
    frame[numbers.columns] = numbers.where(np.isfinite(numbers))
    settings = _settings([run.record.params for run in loaded.runs.values()])
    return pd.concat([frame, pd.DataFrame(settings, index)], axis="columns")


def settings_columns(runs: pd.DataFrame) -> list[str]:
    """The columns that are settings."""
    return [column for column in runs.columns if is_setting(column)]


def is_setting(name: str) -> bool:
    """Whether a flat key names a setting, rather than a control word or a result."""
    return "." in name or name == "init_from"


def _row(run: LoadedRun, epochs_done: float | None) -> dict[str, Any]:
    record = run.record
    dataset, compute = record.dataset, record.compute
    return {
        "run": f"{record.label}-{record.run_id}",
        "label": record.label,
        "status": run.status,
        "seed": record.seed,
        **_metrics(run),
        "epochs_done": int(epochs_done or 0),
        "epochs": _number(record.params.get("trainer.epochs")),
        "train_seconds": compute.train_seconds,
        "pflop": compute.pflop,
        "parameters": record.model.parameters,
        "macs": record.model.macs,
        "peak_memory_mb": compute.peak_memory_mb,
        **{name: getattr(dataset, name) for name in DATA},
        **{name: getattr(compute, name) for name in COMPUTE},
        "torch": _text(record.environment.get("torch")),
        "git_commit": _text(record.environment.get("git_commit")),
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "folder": str(run.folder),
        "reason": _reason(run),
    }


def _metrics(run: LoadedRun) -> dict[str, float | None]:
    selected, best, test = run.record.selected, run.record.best, run.record.test
    return {
        "val_accuracy": selected.val_accuracy if selected else None,
        "val_loss": selected.val_loss if selected else None,
        "best_epoch": best.epoch if best else None,
        "best_val_accuracy": best.val_accuracy if best else None,
        "test_accuracy": test.accuracy if test else None,
        "test_top5_accuracy": test.top5_accuracy if test else None,
        "test_loss": test.loss if test else None,
        "test_ece": test.ece if test else None,
        "test_superclass_accuracy": test.superclass_accuracy if test else None,
    }


def _reason(run: LoadedRun) -> str:
    """Why a run did not complete; empty if it did or still may."""
    if run.status in ("completed", "running"):
        return ""
    return run.reason or "no reason recorded"


def _settings(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[str | None]]:
    """The exact texts of each setting, by run; None where a run has no such setting."""
    keys = dict.fromkeys(chain.from_iterable({tuple(params): None for params in runs}))
    wanted = [key for key in keys if is_setting(key) and key not in NUISANCE]
    columns = {key: [params.get(key, MISSING) for params in runs] for key in wanted}
    for group in GROUPS:  # an option given as `_target_` becomes its group's `name`
        targets = columns.pop(f"{group}._target_", [])
        if any(target not in (None, MISSING) for target in targets):
            names = columns.get(f"{group}.name", [MISSING] * len(runs))
            pairs = zip(targets, names, strict=True)
            columns[f"{group}.name"] = [n if t in (None, MISSING) else t for t, n in pairs]
    return {key: _texts(values) for key, values in columns.items()}


def _texts(values: Sequence[Any]) -> list[str | None]:
    kinds = set(map(type, values))
    if len(kinds) == 1 and not kinds & {list, dict}:  # then equal values have equal texts
        known = {value: exact_text(value) for value in set(values)}
        return [known[value] for value in values]
    return [None if value is MISSING else exact_text(value) for value in values]


def exact_text(value: Any) -> str:
    """A value as a text that no other value has: 0.1 equals 1e-1, but 16 differs from "16"."""
    if isinstance(value, str):
        return repr(value) if AMBIGUOUS.fullmatch(value) else value
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return str(int(value))
    return json.dumps(value) if isinstance(value, list | dict) else repr(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
