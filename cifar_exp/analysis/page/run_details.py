"""What a run's dialog shows beside its results: settings, folder, command and reason."""

from pathlib import Path
from typing import Any

import pandas as pd

from cifar_exp.analysis.load.frames import settings_columns
from cifar_exp.analysis.page.commands import legible_words
from cifar_exp.analysis.statistics.factors import ABSENT
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.storage.run_folder import read_overrides


def run_details(statistics: GroupStatistics, shown: pd.DataFrame) -> dict[str, Any]:
    """`common`: settings that all runs share; `settings`: by key, its `values` and the index of
    each run's own; by run: `folder`, `command` that repeats it, and `reason` why it did not
    complete.
    """
    keys = settings_columns(statistics.runs)
    texts = {key: statistics.raw_runs[key].fillna(ABSENT) for key in keys}
    common = {key: text.iloc[0] for key, text in texts.items() if text.nunique() == 1}
    varied = {}
    for key in keys:
        if key not in common:
            codes, values = pd.factorize(texts[key].loc[shown.index])
            varied[key] = {"values": list(values), "index": codes.tolist()}
    rows = zip(shown["folder"], shown["seed"], strict=True)
    return {
        "common": common,
        "settings": varied,
        "folder": shown["folder"].tolist(),
        "command": [_command(Path(folder), seed) for folder, seed in rows],
        "reason": shown["reason"].tolist(),
    }


def _command(folder: Path, seed: int) -> str:
    """The command that repeats the run, with its seed even if that was left to its default."""
    overrides = read_overrides(folder)
    if not any(item.startswith("seed=") for item in overrides):
        overrides.append(f"seed={seed}")
    return " ".join(["python -m cifar_exp.train", *legible_words(overrides)])
