import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cifar_exp.data.device_splits import Split
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.training import evaluation, trainer
from cifar_exp.training.evaluation import Evaluation

pytestmark = pytest.mark.slow  # trains whole runs

Make = Callable[..., RunSpec]


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def test_a_diverged_run_is_final_and_says_where(make_spec: Make) -> None:
    spec = make_spec("optimizer.lr=1e30")
    first = execute(spec)
    assert first.record.status == "diverged"
    assert first.record.error is not None
    assert first.record.error.message.startswith("the training loss is not finite in epoch 1")
    assert "Traceback" in (first.folder / "train.log").read_text()
    before = (first.folder / "run.json").stat().st_mtime_ns
    assert execute(spec).record.status == "diverged"
    assert (first.folder / "run.json").stat().st_mtime_ns == before


def test_a_validation_loss_that_is_not_finite_ends_the_run_as_diverged(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = evaluation.evaluate

    def evaluate(*arguments: Any) -> Evaluation:
        result = real(*arguments)
        return replace(result, loss=result.loss * float("inf"))

    monkeypatch.setattr(trainer, "evaluate", evaluate)
    done = execute(make_spec())
    assert done.record.status == "diverged"
    assert done.record.error.message == "the validation loss is not finite after epoch 1"
    assert not list((done.folder / "checkpoints").iterdir())  # never a checkpoint that is not


def test_a_loss_that_only_the_last_step_breaks_ends_the_run_as_diverged(
    make_spec: Make,
) -> None:
    # the one step's loss is of the first weights, which are sound
    spec = make_spec(
        "optimizer.lr=1e30", "data.val_fraction=0", "trainer.batch_size=100000", "trainer.epochs=1"
    )
    done = execute(spec)
    assert record(done.folder)["status"] == "diverged"
    assert done.record.error.message == "the train_eval loss is not finite after epoch 1"
    assert not list((done.folder / "checkpoints").iterdir())
    before = (done.folder / "run.json").stat().st_mtime_ns
    assert execute(spec).record.status == "diverged"
    assert (done.folder / "run.json").stat().st_mtime_ns == before


def test_a_test_loss_that_is_not_finite_ends_the_run_as_diverged(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = evaluation.evaluate

    def evaluate(network: torch.nn.Module, split: Split, *arguments: Any) -> Evaluation:
        result = real(network, split, *arguments)
        is_test = len(split) == 32  # of 128 for training, 16 validate
        return replace(result, loss=result.loss * float("nan")) if is_test else result

    monkeypatch.setattr(trainer, "evaluate", evaluate)
    done = execute(make_spec("data.val_fraction=0.125"))
    assert done.record.status == "diverged"
    assert done.record.error.message == "the test loss is not finite after epoch 3"
    found = record(done.folder)
    assert found["test"] is None
    assert found["final"]["epoch"] == 3
    assert not (done.folder / "predictions.npz").exists()
