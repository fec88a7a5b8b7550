"""A sweep is confirmed as a user types it: trained, continued, extended and reported."""

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
SWEEP = (
    "data=shapes",
    "data.limit_train=400",
    "data.limit_test=200",
    "data.image_size=16",
    "model=tiny",
    "model.stages=2",
    "trainer.epochs=1",
    "trainer.batch_size=64",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "trainer.device=cpu",
    "trainer.threads=1",
)


class Shell:
    """A folder with a sweep of two widths and two seeds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CIFAR_EXP_CACHE": str(folder.parent / "cache"),
        }
        code, out = self.train("--multirun", *SWEEP, "model.width=2,4", "seed=0,1", "report=false")
        assert code == 0, out
        (self.sweep,) = (p.relative_to(folder) for p in folder.glob("outputs/sweeps/[!.]*"))
        self.confirming = folder / f"{self.sweep}-confirm"

    def start(self, command: str, *line: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", f"cifar_exp.{command}", *line],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def train(self, *line: str) -> tuple[int, str]:
        process = self.start("train", *line)
        out, _ = process.communicate(timeout=300)
        return process.returncode, out

    def confirm(self, *line: str) -> tuple[int, str]:
        return self.train(f"confirm.sweep={self.sweep}", *line)

    def report(self, path: Path) -> str:
        out, _ = self.start("report", str(path), "--figures", "none").communicate(timeout=300)
        return out

    def rows(self) -> list[dict[str, str]]:
        with (self.confirming / "runs.csv").open() as stream:
            return list(csv.DictReader(stream))

    def record(self, run_id: str) -> dict[str, Any]:
        (path,) = self.folder.glob(f"outputs/runs/*-{run_id}/run.json")
        return json.loads(path.read_text())


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("confirm") / "here"
    folder.mkdir()
    return Shell(folder)


def test_the_best_are_confirmed_continued_and_extended(shell: Shell) -> None:
    line = ("confirm.top=1", "confirm.seeds=2", "report=false")
    code, out = shell.confirm(*line, "plan=true")
    assert code == 0, out
    assert f"sweep    {shell.sweep}-confirm\n" in out
    assert (
        f"confirms {shell.sweep}: 1 of its 2 configurations, on seeds that it did not use: 2, 3\n"
    ) in out
    assert not shell.confirming.exists()

    process = shell.start("train", f"confirm.sweep={shell.sweep}", *line, "trainer.progress=plain")
    deadline = time.monotonic() + 120
    while not shell.confirming.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    code, out = shell.confirm(*line)
    assert code == 0, out
    assert [(row["seed"], row["status"]) for row in shell.rows()] == [
        ("2", "completed"),
        ("3", "completed"),
    ]
    first = [row["run_id"] for row in shell.rows()]
    started = [shell.record(run_id)["segments"] for run_id in first]

    code, out = shell.confirm("confirm.top=2", "confirm.seeds=3", "report=false")
    assert code == 0, out
    assert "; 2 done, 4 to train\n" in out
    assert len(shell.rows()) == 6
    assert {row["seed"] for row in shell.rows()} == {"2", "3", "4"}
    assert [shell.record(run_id)["segments"] for run_id in first] == started
    code, out = shell.confirm("confirm.top=2", "confirm.seeds=3")
    assert (code, "; 6 done, 0 to train\n" in out) == (0, True)
    assert out.count("Confirmed on 3 fresh seeds: width=") == 2
    assert out.count("on the 2 seeds that selected it).") == 3  # the headline says it too
    assert "could not be drawn" not in out
    for path, number in ((shell.sweep, 2), (shell.confirming, 2), (Path("outputs"), 4)):
        assert shell.report(path).count("Confirmed on 3 fresh seeds: width=") == number


def test_one_of_hydras_launchers_trains_the_same_runs(shell: Shell) -> None:
    line = ("confirm.top=1", "confirm.seeds=5", "report=false")
    code, out = shell.confirm(*line, "hydra/launcher=basic")
    assert code == 0, out
    done = [row for row in shell.rows() if row["seed"] in ("5", "6")]
    assert [row["status"] for row in done] == ["completed", "completed"]
    code, out = shell.confirm(*line)
    assert (code, "; 5 done, 0 to train\n" in out) == (0, True)


def test_a_mistake_ends_with_a_sentence_and_exit_code_2(shell: Shell) -> None:
    code, out = shell.train(f"confirm.sweep={shell.sweep}x", "confirm.top=1")
    assert (code, out) == (
        2,
        f"error: confirm.sweep={shell.sweep}x: there is no such sweep; did you mean "
        f"{shell.sweep}?\n",
    )
    code, out = shell.confirm("model.width=8")
    assert (code, out.count("error: ")) == (2, 1)


def test_help_lists_the_words(shell: Shell) -> None:
    code, out = shell.train("--help")
    assert code == 0
    for word in ("sweep", "top", "seeds", "baseline"):
        assert f"  confirm.{word} " in out
