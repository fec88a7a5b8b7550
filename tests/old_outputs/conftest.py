"""Copies of the example, whose commands are given again (example_0_1/README.md)."""

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from cifar_exp import status, train

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parent / "example_0_1"

COMMON = (
    "data=folder",
    "data.root=pictures",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.stages=2",
    "model.depth=1",
    "model.dropout=0.1",
    "trainer.batch_size=12",
    "trainer.epochs=6",
    "trainer.ema=0.8",
    "trainer.resolution_scales=[0.75]",
    "trainer.resolution_until=[0.25]",
    "trainer.device=cpu",
    "trainer.threads=1",
)
RATE = ("optimizer.lr=0.2", "scheduler=plateau", "scheduler.patience=0")
SWEEP = ("model.width=4,6", "seed=0,1", *RATE, "report=false", "hydra.launcher.n_jobs=1")
SINGLE = {
    "7b805cc24d": ("model.width=6", "seed=1", *RATE),  # the third run of the sweep
    "37f9db3c11": (
        "model.width=4",
        "seed=2",
        "optimizer=muon",
        "trainer.evaluate=best",
        "augmentation.jitter=0.1",
    ),
    "c184ebf350": (
        "model.width=6",
        "seed=3",
        "trainer.epochs=1",
        "init_from=008a13dbac",
        "optimizer.lr=0.05",
    ),
}
LOSSES = ("train_loss", "val_loss", "train_eval_loss")


@dataclass(frozen=True)
class Runs:
    """The runs in a folder, named by their ids."""

    folder: Path

    def path(self, run_id: str) -> Path:
        """The folder of a run."""
        return self.folder / f"tiny-{run_id}"

    def record(self, run_id: str) -> dict[str, Any]:
        """The content of run.json."""
        return json.loads((self.path(run_id) / "run.json").read_text())

    def epochs(self, run_id: str) -> list[dict[str, str]]:
        """The rows of metrics.csv and extra.csv, joined."""
        tables = [read_csv(self.path(run_id) / f"{name}.csv") for name in ("metrics", "extra")]
        return [{**extra, **row} for row, extra in zip(*tables, strict=True)]

    def losses(self, run_id: str) -> list[float]:
        """Every loss that a run recorded, that of test last."""
        losses = [float(row[name]) for row in self.epochs(run_id) for name in LOSSES]
        return [*losses, self.record(run_id)["test"]["loss"]]


@dataclass(frozen=True)
class Place:
    """A folder with a copy of the example, in which commands are given."""

    folder: Path

    @property
    def runs(self) -> Runs:
        """The runs in outputs/."""
        return Runs(self.folder / "outputs" / "runs")

    def give(self, command: Callable[[], int], *line: str) -> list[str]:
        """Give a command that must end well, in this process; returns the lines it prints."""
        printed = io.StringIO()
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [command.__module__, *line])
            patch.setenv("CIFAR_EXP_CACHE", "cache")
            with contextlib.redirect_stdout(printed):
                code = command()
        assert code == 0, printed.getvalue()
        return printed.getvalue().splitlines()

    def plan(self) -> list[str]:
        """The lines that the sweep's command prints with plan=true."""
        return self.give(train.main, "--multirun", *COMMON, *SWEEP, "plan=true")

    def train(self, run_id: str) -> None:
        """Give the command of one run."""
        self.give(train.main, *COMMON, *SINGLE[run_id])

    def sweep(self) -> None:
        """Give the sweep's command, in a process of its own; it must end well."""
        done = subprocess.run(
            [sys.executable, "-m", "cifar_exp.train", "--multirun", *COMMON, *SWEEP],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "CIFAR_EXP_CACHE": "cache"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Continued(Place):
    """A place where all commands were given, with what the others printed before and after."""

    listed_before: list[str]
    planned: list[str]
    listed_after: list[str]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def draw_pictures(root: Path) -> None:
    """Draw the example's pictures by integer arithmetic: the same pixels on every machine."""
    y, x = np.mgrid[:16, :16]
    middle = abs(2 * x - 15)
    patterns = {
        "across": x,
        "along": y,
        "falling": x - y,
        "middle": middle,
        "rising": x + y,
        "rings": middle + abs(2 * y - 15),
    }
    numbers = pseudorandom_numbers()
    for split, count in (("train", 16), ("test", 8)):
        for name, pattern in patterns.items():
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                stripes = (pattern + next(numbers) % 8) // 3 % 2
                noise = np.array([next(numbers) % 170 for _ in range(16 * 16 * 3)])
                pixels = 85 * stripes[..., None] + noise.reshape(16, 16, 3)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index:02d}.png")


def pseudorandom_numbers() -> Iterator[int]:
    """The upper 15 bits of a linear congruential generator, the example in the C standard."""
    state = 1
    while True:
        state = (1103515245 * state + 12345) % 2**31
        yield state >> 16


def make_place(folder: Path) -> Place:
    shutil.copytree(EXAMPLE / "outputs", folder / "outputs")
    draw_pictures(folder / "pictures")
    return Place(folder)


def give_all_commands(folder: Path) -> None:
    """Copy the example into `folder` and continue it; what it printed is in printed.json."""
    place = make_place(folder)
    printed = {"listed_before": place.give(status.main, "outputs"), "planned": place.plan()}
    place.sweep()
    place.train("37f9db3c11")
    place.train("c184ebf350")
    printed["listed_after"] = place.give(status.main, "outputs")
    (folder / "printed.json").write_text(json.dumps(printed))


@pytest.fixture(scope="session")
def example() -> Path:
    """The committed files."""
    return EXAMPLE


@pytest.fixture(scope="session")
def old() -> Runs:
    """The runs as the old code left them."""
    return Runs(EXAMPLE / "outputs" / "runs")


@pytest.fixture(scope="session")
def undisturbed() -> Runs:
    """The runs as the old code trained them without an interruption."""
    return Runs(EXAMPLE / "undisturbed")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A copy of the example."""
    return make_place(tmp_path)


@pytest.fixture(scope="session")
def continued(tmp_path_factory: pytest.TempPathFactory) -> Continued:
    """The example after its commands were given again; test processes share it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "continued_example"
    with FileLock(shared / "continued_example.lock"):
        if not (folder / "printed.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            give_all_commands(folder)
    return Continued(folder, **json.loads((folder / "printed.json").read_text()))


@pytest.fixture(scope="session")
def table() -> Callable[[Path], list[dict[str, str]]]:
    """Reads a CSV file."""
    return read_csv


@pytest.fixture(scope="session")
def largest_change() -> Callable[[list[float], list[float]], float]:
    """How far losses are from others, relative, where they are furthest apart."""

    def change(losses: list[float], others: list[float]) -> float:
        pairs = zip(losses, others, strict=True)
        return max(abs(loss - other) / other for loss, other in pairs)

    return change
