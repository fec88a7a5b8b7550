"""Makes any number of run folders with records and histories, without training anything."""

import hashlib
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from cifar_exp.storage.metrics import METRICS_COLUMNS

WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
DROPOUTS = tuple(round(0.05 * i, 2) for i in range(10))
CLASSES = 100


def make_runs(outputs: Path, runs: int, epochs: int) -> None:
    """A sweep of width x dropout x seed (and rate, beyond 1,000 runs) below `outputs`."""
    rates = [0.1 * (i + 1) for i in range(-(-runs // 1000))]
    trials = list(product(rates, WIDTHS, DROPOUTS, range(10)))[:runs]
    random = np.random.default_rng(0)
    lines = ["run_id,folder,status,optimizer.lr,model.width,model.dropout,seed"]
    for rate, width, dropout, seed in trials:
        run_id = hashlib.sha256(f"{rate} {width} {dropout} {seed}".encode()).hexdigest()[:10]
        settings = {"model.width": width, "model.dropout": dropout, "optimizer.lr": rate}
        accuracy = _accuracy(random, width, dropout)
        name = make_run_folder(outputs, run_id, seed, settings, accuracy, epochs).name
        lines.append(f"{run_id},../../runs/{name},completed,{rate},{width},{dropout},{seed}")
    sweep = outputs / "sweeps" / "made"
    sweep.mkdir(parents=True)
    (sweep / "runs.csv").write_text("\n".join(lines) + "\n")
    (sweep / "sweep.yaml").write_text("name: made\ncommands: []\n")


def make_run_folder(
    outputs: Path, run_id: str, seed: int, settings: dict[str, Any], accuracy: float, epochs: int
) -> Path:
    """The folder of a completed run; `settings` have at least a width and a rate."""
    folder = outputs / "runs" / f"made-{run_id}"
    folder.mkdir(parents=True)
    curve = accuracy * (1 - np.exp(-np.arange(1, epochs + 1) / epochs * 4))
    record = _record(run_id, seed, settings, epochs, float(curve[-1]))
    (folder / "run.json").write_text(json.dumps(record, indent=1))
    _write_history(folder, curve, settings["optimizer.lr"])
    return folder


def _accuracy(random: np.random.Generator, width: int, dropout: float) -> float:
    return float(0.3 + 0.06 * np.log2(width) - 0.3 * dropout**2 + random.normal(0, 0.003))


def _write_history(folder: Path, curve: np.ndarray, rate: float) -> None:
    rows = [",".join(METRICS_COLUMNS)]
    extra = ["epoch,train_eval_loss,train_eval_accuracy"]
    for i, value in enumerate(curve, 1):
        lr = rate * (1 - i / len(curve))
        losses = f"{3 - value},{value * 1.1},{3.1 - value},{value},{min(1, value * 1.5)}"
        rows.append(f"{i},{i * 176},{lr},{losses},20.0,{i * 21.0},2250.0")
        extra.append(f"{i},{2.9 - value},{value * 1.05}")
    (folder / "metrics.csv").write_text("\n".join(rows) + "\n")
    (folder / "extra.csv").write_text("\n".join(extra) + "\n")


def _record(
    run_id: str, seed: int, settings: dict[str, Any], epochs: int, accuracy: float
) -> dict[str, Any]:
    other = {f"group.key{i}": i for i in range(45)}  # about as many settings as a real run has
    val = {"epoch": epochs, "val_accuracy": accuracy, "val_loss": 3.1 - accuracy}
    names = [f"class {i:03d}" for i in range(CLASSES)]
    tested = {"top5_accuracy": 0.9, "loss": 2.0, "ece": 0.1, "superclass_accuracy": 0.7}
    return {
        "schema": 1,
        "run_id": run_id,
        "label": "made",
        "status": "completed",
        "seed": seed,
        "params": {"seed": seed, "trainer.epochs": epochs, **settings, **other},
        "dataset": {
            "name": "shapes",
            "fingerprint": "f" * 64,
            "classes": CLASSES,
            "class_names": names,
            "superclasses": [f"group {i // 5:02d}" for i in range(CLASSES)],
            "split_seed": 0,
            "train_size": 45000,
            "val_size": 5000,
            "test_size": 10000,
        },
        "model": {"parameters": settings["model.width"] ** 2 * 1000, "macs": 10**7},
        "compute": {
            "device": "cpu",
            "device_name": "made",
            "threads": 1,
            "precision": "fp32",
            "pflop": settings["model.width"] ** 2 / 1e4,
            "train_seconds": 20.0 * epochs,
            "peak_memory_mb": None,
            "lr_groups": [],
        },
        "segments": [],
        "best": val,
        "final": val,
        "test": {"accuracy": accuracy - 0.005, **tested},
        "started_at": "2026-11-01T00:00:00+00:00",
        "finished_at": "2026-11-01T01:00:00+00:00",
        "environment": {"torch": "2.14.1", "git_commit": None},
        "error": None,
    }
