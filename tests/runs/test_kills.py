"""SIGKILL at any moment costs at most the epoch in progress, and changes no metric."""

import csv
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.sweeps.launchers.local.pool import PRELOADED
from cifar_exp.training.trainer import EpochMetrics, Trainer

pytestmark = pytest.mark.slow  # runs in processes that are killed

LONG = ("trainer.epochs=25", "model.dropout=0.2", "augmentation=strong", "trainer.ema=0.9")
TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")

# Children are forked from a server that has torch imported but has not computed anything: a start
# takes milliseconds, and no thread is torn in two.
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(list(PRELOADED))


def train_two_epochs(spec: RunSpec) -> None:
    """Train two epochs, then wait to be killed: on no machine the run ends before it is killed."""
    real, left = Trainer.fit, iter(range(2))

    def fit(trainer: Trainer, *arguments: Any) -> Iterator[EpochMetrics]:
        for metrics in real(trainer, *arguments):
            yield metrics
            if next(left, None) is None:
                signal.pause()

    with mock.patch.object(Trainer, "fit", fit):
        execute(spec)


def train_and_die_writing(spec: RunSpec, name: str, write: int) -> None:
    """Die in the middle of the `write`-th write of a file called `name`."""
    real, left = os.fsync, iter(range(write - 1))

    def die(descriptor: int) -> None:
        written = os.readlink(f"/proc/self/fd/{descriptor}")
        if f".writing-{name}-" in written and next(left, None) is None:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        real(descriptor)

    os.fsync = die  # type: ignore[assignment]
    execute(spec)


def metrics(folder: Path, *names: str) -> list[dict[str, str]]:
    """metrics.csv and extra.csv without what a clock says."""
    found = []
    for name in names or ("metrics.csv", "extra.csv"):
        with (folder / name).open() as stream:
            found += [
                {key: value for key, value in row.items() if key not in TIMES}
                for row in csv.DictReader(stream)
            ]
    return found


def train_and_die_completed(spec: RunSpec) -> None:
    """Die when the run is recorded as completed, and its checkpoint is still that of training."""
    real = os.replace

    def die(source: Path, target: Path) -> None:
        if Path(source).name == ".writing-last.pt":
            os.kill(os.getpid(), signal.SIGKILL)
        real(source, target)

    with mock.patch("os.replace", die):
        execute(spec)


def elsewhere(spec: RunSpec, tmp_path: Path) -> RunSpec:
    return RunSpec(spec.settings, spec.label, spec.overrides, tmp_path / "undisturbed")


def only_run(spec: RunSpec) -> Path:
    return next(path for path in spec.runs.iterdir() if path.name[0] != ".")


def start(target: Callable, *arguments: object) -> multiprocessing.process.BaseProcess:
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def wait_for_checkpoint(spec: RunSpec, process: multiprocessing.process.BaseProcess) -> None:
    deadline = time.monotonic() + 60
    while not list(spec.runs.glob("*/checkpoints/last.pt")):
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill(process: multiprocessing.process.BaseProcess) -> int:
    """1 if the process was still alive to be killed."""
    process.kill()
    process.join()
    return int(process.exitcode == -signal.SIGKILL)


def die_writing(spec: RunSpec, name: str, write: int) -> int:
    """1 if a process died in that write."""
    process = start(train_and_die_writing, spec, name, write)
    process.join()
    return int(process.exitcode == -signal.SIGKILL)


def test_killed_over_and_over_a_run_ends_with_the_same_metrics(
    make_spec: Callable[..., RunSpec], tmp_path: Path
) -> None:
    spec = make_spec(*LONG)
    expected = execute(elsewhere(spec, tmp_path))
    moments, kills = random.Random(0), 0
    process = start(train_two_epochs, spec)
    wait_for_checkpoint(spec, process)
    for _ in range(9):
        time.sleep(moments.uniform(0.0, 0.3))
        kills += kill(process)
        process = start(train_two_epochs, spec)
    kills += kill(process)
    for name, write in (("last.pt", 1), ("metrics.csv", 2), ("run.json", 2), ("last.pt", 2)):
        kills += die_writing(spec, name, write)
    for name in ("best.pt", "extra.csv", "config.yaml", "predictions.npz"):
        kills += die_writing(spec, name, 1)
    assert kills >= 15
    done = execute(spec)
    assert done.record.status == "completed"
    assert metrics(done.folder) == metrics(expected.folder)
    assert done.record.test == expected.record.test
    assert done.record.best == expected.record.best
    assert not list(done.folder.rglob(".writing-*"))


@pytest.mark.parametrize("written", ["last.pt", "metrics.csv"])
def test_killed_between_checkpoint_and_metrics_neither_is_ahead(
    make_spec: Callable[..., RunSpec], tmp_path: Path, written: str
) -> None:
    spec = make_spec()
    expected = execute(elsewhere(spec, tmp_path))
    assert die_writing(spec, written, 2)
    killed = RunRecord.load(only_run(spec))
    assert killed is not None
    assert killed.status == "running"
    assert [row["epoch"] for row in metrics(only_run(spec), "metrics.csv")] == ["1"]
    assert metrics(execute(spec).folder) == metrics(expected.folder)


def test_a_killed_process_holds_nobody_up(make_spec: Callable[..., RunSpec]) -> None:
    spec = make_spec(*LONG)
    process = start(train_two_epochs, spec)
    wait_for_checkpoint(spec, process)
    assert kill(process)
    done = execute(spec)
    assert done.record.status == "completed"
    assert len(done.record.segments) == 2


def test_killed_while_the_checkpoint_shrinks_the_run_is_done(
    make_spec: Callable[..., RunSpec],
) -> None:
    spec = make_spec("trainer.epochs=1")
    process = start(train_and_die_completed, spec)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    done = RunRecord.load(only_run(spec))
    assert done is not None
    assert done.status == "completed"
    last = only_run(spec) / "checkpoints" / "last.pt"
    assert "trainer" in torch.load(last, weights_only=True)
    assert execute(spec).record == done
    assert "trainer" not in torch.load(last, weights_only=True)


def test_killed_before_the_end_is_recorded_only_the_test_is_repeated(
    make_spec: Callable[..., RunSpec], tmp_path: Path
) -> None:
    spec = make_spec("trainer.epochs=1")
    expected = execute(elsewhere(spec, tmp_path)).record
    assert die_writing(spec, "run.json", 3)  # begun, first epoch, end
    done = execute(spec).record
    assert done.status == "completed"
    assert done.test == expected.test
    assert [segment.from_epoch for segment in done.segments] == [1, 2]
