"""Loaded runs -> the tidy frame of runs that everything else is computed from."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cifar_exp.analysis.load.runs import LoadedRun, LoadedRuns
from cifar_exp.config.identity import NUISANCE

# The columns beside the settings: what came of a run, and how it was made.
FIGURES = (
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
CIRCUMSTANCES = (
    "name",
    "fingerprint",
    "split_seed",
    "train_size",
    "val_size",
    "test_size",
    "device",
    "device_name",
    "threads",
    "precision",
    "torch",
    "git_commit",
    "started_at",
    "finished_at",
    "folder",
    "reason",
)

# What stands for a group's choice, whether it was made by name or by `_target_`.
GROUPS = ("model", "optimizer", "scheduler")
# Texts that another value may look like, or that would not stay one word.
AMBIGUOUS = re.compile(r"|-|(?i:none|true|false|inf|nan)|[-+.\d].*|[\[{'\"].*|.*[\s=].*", re.DOTALL)
LARGEST_EXACT = 2**53


def run_frame(loaded: LoadedRuns) -> pd.DataFrame:
    """A row a run, indexed by run id (text): status, figures, compute, data, and its settings.

    Figures are those of the weights that `trainer.evaluate` names; NaN where there are none, or
    they are not finite. Settings carry their dotted names and are exact texts, NaN where a run has
    no such setting; `seed`, and what does not decide a result, is not among them.
    """
    epochs = loaded.history.groupby("run_id")["epoch"].max() if len(loaded.history) else {}
    rows = {run_id: _row(run, epochs.get(run_id)) for run_id, run in loaded.runs.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    settings = [c for c in frame.columns if c not in ("run", "label", *FIGURES, *CIRCUMSTANCES)]
    return frame.reindex(columns=["run", "label", *FIGURES, *CIRCUMSTANCES, *settings]).rename_axis(
        "run_id"
    )


def settings_columns(runs: pd.DataFrame) -> list[str]:
    """The columns that are settings."""
    return [column for column in runs.columns if is_setting(column)]


def is_setting(name: str) -> bool:
    """Whether a flat key is a setting's, and no control word's or figure's."""
    return "." in name or name == "init_from"


def _row(run: LoadedRun, epochs_done: float | None) -> dict[str, Any]:
    record = run.record
    row = {
        "run": f"{record.label}-{record.run_id}",
        "label": record.label,
        "status": run.status,
        "seed": record.seed,
        **_figures(run),
        "epochs_done": int(epochs_done or 0),
        "epochs": _number(record.params.get("trainer.epochs")),
        "train_seconds": record.compute.train_seconds,
        "pflop": record.compute.pflop,
        "parameters": record.model.parameters,
        "macs": record.model.macs,
        "peak_memory_mb": record.compute.peak_memory_mb,
        **record.dataset.model_dump(include=_DATA),
        **record.compute.model_dump(include=_COMPUTE),
        "torch": _text(record.environment.get("torch")),
        "git_commit": _text(record.environment.get("git_commit")),
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "folder": str(run.folder),
        "reason": _reason(run),
    }
    return {**{key: _finite(value) for key, value in row.items()}, **_settings(record.params)}


_DATA = {"name", "fingerprint", "split_seed", "train_size", "val_size", "test_size"}
_COMPUTE = {"device", "device_name", "threads", "precision"}


def _figures(run: LoadedRun) -> dict[str, float | None]:
    counted, best, test = run.record.selected, run.record.best, run.record.test
    return {
        "val_accuracy": counted.val_accuracy if counted else None,
        "val_loss": counted.val_loss if counted else None,
        "best_epoch": best.epoch if best else None,
        "best_val_accuracy": best.val_accuracy if best else None,
        "test_accuracy": test.accuracy if test else None,
        "test_top5_accuracy": test.top5_accuracy if test else None,
        "test_loss": test.loss if test else None,
        "test_ece": test.ece if test else None,
        "test_superclass_accuracy": test.superclass_accuracy if test else None,
    }


def _reason(run: LoadedRun) -> str:
    """Why a run did not complete; empty where it did, or may yet."""
    if run.status in ("completed", "running"):
        return ""
    return run.reason or ("stopped early" if run.status == "pruned" else "no reason on record")


def _settings(params: Mapping[str, Any]) -> dict[str, str]:
    """Each setting's exact text; a choice by `_target_` stands under its group's name."""
    known = {k: v for k, v in params.items() if is_setting(k) and k not in NUISANCE}
    for group in GROUPS:
        target = known.pop(f"{group}._target_", None)
        if target is not None:
            known[f"{group}.name"] = target
    return {key: exact_text(value) for key, value in known.items()}


def exact_text(value: Any) -> str:
    """A value as text that no other value has: 0.1 and 1e-1 are one, 16 and "16" are two."""
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
