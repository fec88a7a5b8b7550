"""What a click on a run shows: its settings, its history, the command that repeats it."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.frames import settings_columns
from cifar_exp.analysis.load.runs import LoadedRuns
from cifar_exp.analysis.statistics.factors import ABSENT
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.run_folder import read_overrides

CURVES = ("train_accuracy", "val_accuracy", "train_loss", "val_loss")


def run_details(
    statistics: GroupStatistics, shown: pd.DataFrame, loaded: LoadedRuns
) -> dict[str, Any]:
    """`common`: settings that all runs share; `runs` by id: other settings, history and so on."""
    keys = settings_columns(statistics.runs)
    texts = {key: statistics.raw_runs[key].fillna(ABSENT) for key in keys}
    common = {key: text.iloc[0] for key, text in texts.items() if text.nunique() == 1}
    own = [key for key in keys if key not in common]
    history = loaded.history[loaded.history["run_id"].isin(shown.index)]
    curves = {str(run_id): _curves(rows) for run_id, rows in history.groupby("run_id")}
    runs = {
        str(run_id): {
            "name": row["run"],
            "status": row["status"],
            "folder": row["folder"],
            "command": _command(Path(row["folder"]), row["seed"]),
            "settings": {"seed": str(row["seed"]), **{key: texts[key][run_id] for key in own}},
            "history": curves.get(str(run_id), {}),
            "reason": row["reason"],
        }
        for run_id, row in shown.iterrows()
    }
    return {"common": common, "runs": runs}


def _curves(rows: pd.DataFrame) -> dict[str, list[float | None]]:
    table = {"epoch": rows["epoch"].tolist()}
    for name in CURVES:
        values = rows[name].to_numpy(dtype=float)
        table[name] = [float(f"{v:.4g}") if np.isfinite(v) else None for v in values]
    return table


def _command(folder: Path, seed: int) -> str:
    """The command that repeats the run, with its seed even if that was left to its default."""
    overrides = read_overrides(folder)
    if not any(item.startswith("seed=") for item in overrides):
        overrides.append(f"seed={seed}")
    return shlex.join(["python", "-m", "cifar_exp.train", *overrides])
