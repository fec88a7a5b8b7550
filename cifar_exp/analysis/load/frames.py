"""Loaded runs -> the tidy frame of runs that all statistics are computed from."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

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


def run_frame(loaded: LoadedRuns) -> pd.DataFrame:
    """A row per run, indexed by run id (text): status, results, compute, data and settings.

    Results are those of the weights that `trainer.evaluate` names; NaN if missing or not finite.
    Settings are columns with dotted names and exact texts, NaN if a run has no such setting; the
    seed, and settings that do not affect results, are not among them.
    """
    epochs = loaded.history.groupby("run_id")["epoch"].max() if len(loaded.history) else {}
    rows = {run_id: _row(run, epochs.get(run_id)) for run_id, run in loaded.runs.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    fixed = ["run", "label", *RESULTS, *CONTEXT]
    settings = [column for column in frame.columns if column not in fixed]
    return frame.reindex(columns=[*fixed, *settings]).rename_axis("run_id")


def settings_columns(runs: pd.DataFrame) -> list[str]:
    """The columns that are settings."""
    return [column for column in runs.columns if is_setting(column)]


def is_setting(name: str) -> bool:
    """Whether a flat key names a setting, rather than a control word or a result."""
    return "." in name or name == "init_from"


def _row(run: LoadedRun, epochs_done: float | None) -> dict[str, Any]:
    record = run.record
    row = {
        "run": f"{record.label}-{record.run_id}",
        "label": record.label,
        "status": run.status,
        "seed": record.seed,
        **_metrics(run),
        "epochs_done": int(epochs_done or 0),
        "epochs": _number(record.params.get("trainer.epochs")),
        "train_seconds": record.compute.train_seconds,
        "pflop": record.compute.pflop,
        "parameters": record.model.parameters,
        "macs": record.model.macs,
        "peak_memory_mb": record.compute.peak_memory_mb,
        **record.dataset.model_dump(include=set(DATA)),
        **record.compute.model_dump(include=set(COMPUTE)),
        "torch": _text(record.environment.get("torch")),
        "git_commit": _text(record.environment.get("git_commit")),
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "folder": str(run.folder),
        "reason": _reason(run),
    }
    return {**{key: _finite(value) for key, value in row.items()}, **_settings(record.params)}


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
    return run.reason or ("stopped early" if run.status == "pruned" else "no reason recorded")


def _settings(params: Mapping[str, Any]) -> dict[str, str]:
    """Each setting's exact text; an option given as `_target_` becomes its group's `name`."""
    settings = {k: v for k, v in params.items() if is_setting(k) and k not in NUISANCE}
    for group in GROUPS:
        target = settings.pop(f"{group}._target_", None)
        if target is not None:
            settings[f"{group}.name"] = target
    return {key: exact_text(value) for key, value in settings.items()}


def exact_text(value: Any) -> str:
    """A value as a text that no other value has: 0.1 equals 1e-1, but 16 differs from "16"."""
    if isinstance(value, str):
        return repr(value) if AMBIGUOUS.fullmatch(value) else value
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return str(int(value))
    return json.dumps(value) if isinstance(value, list | dict) else repr(value)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
