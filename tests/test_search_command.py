"""A search as a user types it, killed and continued."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # commands in processes of their own

ROOT = Path(__file__).parents[1]
RUNS = 5
SEARCH = [
    *(
        "--multirun",
        "search=tpe",
        f"search.runs={RUNS}",
        "pruning=asha",
        "pruning.grace=1",
        "hydra.launcher.n_jobs=1",
    ),
    *("optimizer.lr=tag(log,interval(0.02,1))", "model.width=range(4,9)", "model.dropout=0.0,0.1"),
    *("data=folder", "data.image_size=16", "data.val_fraction=0.25", "model=tiny"),
    *("model.stages=2", "trainer.batch_size=16", "trainer.device=cpu", "trainer.epochs=3"),
    *("trainer.resolution_scales=[]", "trainer.resolution_until=[]", "report=false"),
]


class Search:
    """The command in a folder of its own."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.line = [sys.executable, "-m", "cifar_exp.train", *SEARCH, f"data.root={pictures}"]
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CIFAR_EXP_CACHE": str(pictures.parent / "search_cache"),
        }

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.line,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self) -> str:
        process = self.start()
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def kill_when_begun(self, number: int) -> None:
        """Kill the command and all its workers at once, when so many runs have an epoch."""
        process = self.start()
        while self.begun < number:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """What runs.csv has of each run: its id and its values."""
        found = []
        for path in self.folder.glob("outputs/sweeps/*/runs.csv"):
            with path.open(newline="") as stream:
                found += list(csv.DictReader(stream))
        return [
            tuple(v for k, v in line.items() if k not in ("folder", "status")) for line in found
        ]

    @property
    def begun(self) -> int:
        """How many runs have an epoch."""
        return len(list(self.folder.glob("outputs/runs/*/metrics.csv")))

    @property
    def accuracies(self) -> dict[str, list[str]]:
        """The accuracy of each epoch of each run."""
        found = {}
        for path in sorted(self.folder.glob("outputs/runs/*/metrics.csv")):
            with path.open(newline="") as stream:
                found[path.parent.name] = [row["val_accuracy"] for row in csv.DictReader(stream)]
        return found


def test_a_search_that_is_killed_goes_on_as_if_it_had_not_been(
    tmp_path: Path, pictures: Path
) -> None:
    whole, killed = Search(tmp_path / "whole", pictures), Search(tmp_path / "killed", pictures)
    assert f"tpe over 3 settings; 0 of {RUNS} runs done" in whole.finish()
    rows: list[tuple[str, ...]] = []
    for number in (1, 3):
        killed.kill_when_begun(number)
        assert killed.rows[: len(rows)] == rows
        rows = killed.rows
        assert rows
    killed.finish()
    assert killed.rows[: len(rows)] == rows
    assert killed.rows == whole.rows
    assert len(dict.fromkeys(row[0] for row in killed.rows)) == RUNS
    assert killed.accuracies == whole.accuracies
