"""Made-up run folders with the files of the contract."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.load.frames import run_frame, settings_columns
from cifar_exp.analysis.load.runs import load_runs
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.groups import group_runs
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.storage.metrics import EXTRA_COLUMNS, METRICS_COLUMNS

DATA = {
    "name": "shapes",
    "fingerprint": "f" * 64,
    "classes": 4,
    "class_names": ["ant", "bee", "cat", "dog"],
    "superclasses": ["insects", "insects", "mammals", "mammals"],
    "split_seed": 0,
    "train_size": 900,
    "val_size": 100,
    "test_size": 200,
}
COMPUTE = {
    "device": "cpu",
    "device_name": "made up",
    "threads": 1,
    "precision": "fp32",
    "pflop": 0.5,
    "train_seconds": 60.0,
    "peak_memory_mb": None,
    "lr_groups": [],
}


def _write_history(folder: Path, val: float | None, epochs: int) -> None:
    """metrics.csv and extra.csv with this many epochs."""
    rows = []
    for epoch in range(1, epochs + 1):
        share = epoch / max(epochs, 1)
        accuracy = None if val is None else val * share
        row: dict[str, float | None] = dict.fromkeys(METRICS_COLUMNS, 1.0)
        row |= {"epoch": epoch, "step": 10 * epoch, "lr": 1 - share}
        row |= {"train_accuracy": 0.6 * share, "train_loss": 3 - share, "val_accuracy": accuracy}
        row |= {"val_loss": None if val is None else 2 - val * share}
        rows.append(row | {"train_eval_accuracy": 0.7 * share, "train_eval_loss": 2 - share})
    frame = pd.DataFrame(rows, columns=[*METRICS_COLUMNS, *EXTRA_COLUMNS[1:]])
    frame[list(METRICS_COLUMNS)].to_csv(folder / "metrics.csv", index=False)
    frame[list(EXTRA_COLUMNS)].to_csv(folder / "extra.csv", index=False)


def _write_predictions(folder: Path, label: Sequence[int], prediction: Sequence[int]) -> None:
    """predictions.npz, with confidences that rise evenly."""
    np.savez(
        folder / "predictions.npz",
        label=np.array(label, np.int16),
        prediction=np.array(prediction, np.int16),
        confidence=np.linspace(0.3, 0.95, len(label)).astype(np.float16),
    )


class Outputs:
    """An outputs folder to put runs and sweeps into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "runs").mkdir(parents=True)

    def run(
        self,
        *,
        seed: int = 0,
        val: float | None = 0.5,
        test: float | None = None,
        status: str = "completed",
        run_id: str | None = None,
        label: str = "tiny",
        epochs: int = 3,
        done: int | None = None,
        data: dict[str, Any] | None = None,
        compute: dict[str, Any] | None = None,
        parameters: int = 1000,
        error: str | None = None,
        overrides: Sequence[str] = (),
        finished_at: str = "2026-11-02T00:00:00+00:00",
        **settings: Any,
    ) -> Path:
        """A run; `settings` have `__` for dots. Its val accuracy rises evenly to `val`."""
        params = {"model.name": "convnet", "trainer.epochs": epochs, "trainer.evaluate": "last"}
        params |= {key.replace("__", "."): value for key, value in settings.items()}
        text = json.dumps([params, seed, data, compute], sort_keys=True)
        run_id = run_id or hashlib.sha256(text.encode()).hexdigest()[:10]
        folder = self.path / "runs" / f"{label}-{run_id}"
        folder.mkdir()
        val_loss = None if val is None else 2 - val
        final = {"epoch": epochs, "val_accuracy": val, "val_loss": val_loss}
        tested = None
        if status == "completed":
            accuracy = test if test is not None else (val or 0.5) - 0.01
            rest = {"top5_accuracy": 0.9, "loss": 1.5, "ece": 0.1, "superclass_accuracy": 0.7}
            tested = {"accuracy": accuracy, **rest}
        record = {
            "schema": 1,
            "run_id": run_id,
            "label": label,
            "status": status,
            "seed": seed,
            "params": {"seed": seed, **params},
            "dataset": {**DATA, **(data or {})},
            "model": {"parameters": parameters, "macs": 10**6},
            "compute": {**COMPUTE, **(compute or {})},
            "segments": [],
            "best": final,
            "final": final,
            "test": tested,
            "started_at": "2026-11-01T00:00:00+00:00",
            "finished_at": finished_at,
            "environment": {"torch": "2.14.1", "git_commit": "abc"},
            "error": None if error is None else _error(error),
            "pruned": {"sweep": "search", "rule": "asha", "epoch": done or epochs}
            if status == "pruned"
            else None,
        }
        (folder / "run.json").write_text(json.dumps(record, indent=1))
        (folder / "overrides.yaml").write_text(json.dumps(list(overrides)))
        self.write_history(folder, val, epochs if done is None else done)
        return folder

    def grid(
        self, effect: Callable[[int, float], float], seeds: int = 3, noise: float = 0.002
    ) -> dict[tuple[int, float, int], Path]:
        """Widths 8, 16, 32 by dropouts 0.0, 0.1, 0.2: the effect plus noise."""
        random = np.random.default_rng(7)
        return {
            (width, dropout, seed): self.run(
                seed=seed,
                val=float(effect(width, dropout) + random.normal(0, noise)),
                compute={"pflop": width**2 / 1000, "train_seconds": 3.0 * width},
                parameters=width**2,
                model__width=width,
                model__dropout=dropout,
            )
            for seed in range(seeds)
            for width in (8, 16, 32)
            for dropout in (0.0, 0.1, 0.2)
        }

    def sweep(self, name: str, folders: Sequence[Path], pending: Sequence[str] = ()) -> Path:
        """A sweep of these runs and of pending ones."""
        sweep = self.path / "sweeps" / name
        sweep.mkdir(parents=True)
        lines = [f"{f.name[-10:]},../../runs/{f.name},completed" for f in folders]
        lines += [f"{run_id},,pending" for run_id in pending]
        (sweep / "runs.csv").write_text("\n".join(["run_id,folder,status", *lines]) + "\n")
        command = f"python -m cifar_exp.train sweep={name}"
        content = {"name": name, "commands": [{"command": command}]}
        (sweep / "sweep.yaml").write_text(json.dumps(content))
        return sweep

    def confirming(
        self,
        origin: Path,
        runs: Mapping[str, tuple[Sequence[Path], Sequence[Path]]],
        baselines: Mapping[str, tuple[Sequence[Path], Sequence[Path]]] = MappingProxyType({}),
        metric: str = "val_accuracy",
    ) -> Path:
        """The sweep that confirms another: by configuration, its runs there and its fresh ones."""
        fresh = [folder for _, own in (*runs.values(), *baselines.values()) for folder in own]
        sweep = self.sweep(f"{origin.name}-confirm", fresh)
        content = json.loads((sweep / "sweep.yaml").read_text())
        content["confirms"] = {
            "sweep": origin.name,
            "metric": metric,
            "configurations": 9,
            "selected": [_selected(rank, *item) for rank, item in enumerate(runs.items(), 1)],
            "baselines": [_selected(9, *item) for item in baselines.items()],
        }
        (sweep / "sweep.yaml").write_text(json.dumps(content))
        return sweep

    write_history = staticmethod(_write_history)
    write_predictions = staticmethod(_write_predictions)

    def all_statistics(
        self,
        *paths: Path,
        metric: str = "val_accuracy",
        baseline: str | None = None,
        worth: float | None = None,
    ) -> list[GroupStatistics]:
        """The statistics of each group in these folders, or in all of them."""
        inputs = find_inputs(list(paths) or [self.path])
        loaded = load_runs(inputs, self.path / "report")
        runs = run_frame(loaded)
        columns = settings_columns(runs)
        shared = (METRICS[metric], runs, loaded.history, columns)
        return [
            GroupStatistics(group, *shared, baseline, worth)
            for group in group_runs(runs, inputs.sweeps)
        ]

    def statistics(self, *paths: Path, **options: Any) -> GroupStatistics:
        """The statistics of the only group."""
        (statistics,) = self.all_statistics(*paths, **options)
        return statistics


def _selected(rank: int, name: str, runs: tuple[Sequence[Path], Sequence[Path]]) -> dict[str, Any]:
    selected_on, confirmed_on = ([folder.name[-10:] for folder in own] for own in runs)
    mean = 0.123  # not that of the runs, so that it shows where it is used
    return {
        "configuration": name,
        "rank": rank,
        "mean": mean,
        "selected_on": selected_on,
        "confirmed_on": confirmed_on,
    }


def _error(message: str) -> dict[str, str]:
    return {"type": "ValueError", "message": message, "traceback": f"Traceback\n{message}"}


@pytest.fixture(scope="session")
def outputs_at() -> type[Outputs]:
    """Makes an outputs folder at a path."""
    return Outputs


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    """An empty outputs folder."""
    return Outputs(tmp_path / "outputs")
