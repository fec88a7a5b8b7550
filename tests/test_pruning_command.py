"""A pruned sweep as a user types it, killed and continued."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # commands in processes of their own

ROOT = Path(__file__).parents[1]
PRUNED = [
    "--multirun",
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.width=4",
    "model.stages=2",
    "trainer.batch_size=16",
    "trainer.device=cpu",
    "trainer.epochs=3",
    "trainer.threads=1",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "report=false",
    "hydra.launcher.n_jobs=1",
    "optimizer.lr=0.001,0.1,0.01,0.03",
    "pruning=asha",
    "pruning.grace=1",
    "pruning.reduction=2",
]
TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")


def start(folder: Path, pictures: Path, line: list[str]) -> subprocess.Popen:
    cache = str(pictures.parent / "pruned_cache")
    return subprocess.Popen(
        [sys.executable, "-m", "cifar_exp.train", *line, f"data.root={pictures}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CIFAR_EXP_CACHE": cache},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, pictures: Path, line: list[str]) -> tuple[int, str]:
    with start(folder, pictures, line) as process:
        out, _ = process.communicate()
    return process.returncode, out


def outcomes(folder: Path) -> dict[str, Any]:
    """By run, all that does not depend on clocks and on how often it was started."""
    found = {}
    for path in folder.glob("outputs/runs/[!.]*"):
        record = json.loads((path / "run.json").read_text())
        with (path / "metrics.csv").open() as stream:
            rows = [{k: v for k, v in r.items() if k not in TIMES} for r in csv.DictReader(stream)]
        found[path.name] = [record["status"], record["pruned"], record["test"], rows]
    return found


def has_paused(folder: Path, number: int) -> bool:
    records = folder.glob("outputs/runs/[!.]*/run.json")
    return sum('"status": "pruned"' in path.read_text() for path in records) >= number


def test_a_pruned_sweep_that_is_killed_ends_as_one_that_was_not(
    tmp_path: Path, pictures: Path
) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    calm.mkdir()
    killed.mkdir()
    code, out = run(calm, pictures, PRUNED)
    assert code == 0, out
    statuses = [outcome[0] for outcome in outcomes(calm).values()]
    assert sorted(set(statuses)) == ["completed", "pruned"]
    assert "pruning  asha: after epochs 1 and 2 of 3 the best 1/2 go on" in out.splitlines()
    (note,) = (line for line in out.splitlines() if line.startswith("note"))
    assert note.startswith(f"note     {statuses.count('pruned')} runs paused by pruning=asha")

    process = start(killed, pictures, PRUNED)
    deadline = time.monotonic() + 120
    while not has_paused(killed, 2):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    code, out = run(killed, pictures, PRUNED)
    assert code == 0, out
    assert outcomes(killed) == outcomes(calm)
