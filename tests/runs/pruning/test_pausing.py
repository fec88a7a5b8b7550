"""A run that its rule pauses, and that goes on."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cifar_exp.config.identity import run_id
from cifar_exp.data.registry import load_dataset
from cifar_exp.runs.execute import execute
from cifar_exp.runs.pruning import pruner as module
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.sweep_folder import SweepEntry, SweepFolder

Make = Callable[..., RunSpec]
TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")


@pytest.fixture
def make_swept(make_spec: Make) -> Make:
    """Adds a run to a sweep over learning rates, pruned by asha after epochs 1 and 2 of 3."""

    def make(rate: str, *overrides: str) -> RunSpec:
        rule = ("pruning.name=asha", "pruning.reduction=2")
        spec = make_spec(f"optimizer.lr={rate}", *rule, *overrides)
        dataset = load_dataset(spec.settings.data, lambda *_: None)
        identity = run_id(spec.settings, dataset.fingerprint)
        folder = SweepFolder(spec.outputs / "sweeps" / "rates")
        folder.enter(SweepEntry("rates", "train", {}, {identity: {"optimizer.lr": rate}}, {}))
        return replace(spec, run_id=identity, sweep="rates")

    return make


def metrics(folder: Path) -> list[dict[str, str]]:
    found = []
    for name in ("metrics.csv", "extra.csv"):
        with (folder / name).open() as stream:
            rows = csv.DictReader(stream)
            found += [{k: v for k, v in row.items() if k not in TIMES} for row in rows]
    return found


def network(folder: Path) -> dict[str, torch.Tensor]:
    return dict(torch.load(folder / "checkpoints" / "last.pt", weights_only=True)["network"])


def content(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def test_the_first_run_of_a_rung_is_paused_before_its_test(make_swept: Make) -> None:
    folder = execute(make_swept("0.05")).folder
    record = content(folder)
    assert record["status"] == "pruned"
    assert record["pruned"] == {"sweep": "rates", "rule": "asha", "epoch": 1}
    assert record["final"]["epoch"] == 1
    assert (record["test"], record["error"]) == (None, None)
    assert record["finished_at"] is not None
    assert "trainer" in torch.load(folder / "checkpoints" / "last.pt", weights_only=True)
    assert not (folder / "predictions.npz").exists()
    assert "paused   after epoch 1 by asha" in (folder / "train.log").read_text()


def test_a_paused_run_ends_as_one_that_was_never_paused(make_swept: Make, tmp_path: Path) -> None:
    spec = make_swept("0.05", "model.dropout=0.2", "trainer.ema=0.9")
    alone = execute(replace(spec, sweep=None, outputs=tmp_path / "undisturbed")).folder
    epochs = []
    for _ in range(3):  # paused, promoted to the next rung, promoted to the end
        result = execute(spec)
        epochs.append(result.record.pruned and result.record.pruned.epoch)
    assert epochs == [1, 2, None]
    record = content(result.folder)
    assert (record["status"], record["pruned"]) == ("completed", None)
    assert [segment["from_epoch"] for segment in record["segments"]] == [1, 2, 3]
    assert metrics(result.folder) == metrics(alone)
    expected = network(alone)
    assert all(torch.equal(tensor, expected[n]) for n, tensor in network(result.folder).items())
    assert record["test"] == content(alone)["test"]


def test_a_paused_run_that_is_asked_for_without_pruning_is_trained_to_its_end(
    make_swept: Make, make_spec: Make
) -> None:
    paused = execute(make_swept("0.05")).folder
    result = execute(make_spec("optimizer.lr=0.05"))
    assert result.folder == paused
    assert (result.record.status, result.record.pruned) == ("completed", None)


def test_a_run_goes_on_while_enough_of_its_siblings_are_worse(make_swept: Make) -> None:
    first = execute(make_swept("0.01"))
    second = execute(make_swept("0.05"))
    assert first.record.final is not None
    assert second.record.final is not None
    worse, better = (float(metrics(r.folder)[0]["val_accuracy"]) for r in (first, second))
    assert better > worse  # of two the better one goes on, and is alone at the next rung
    assert second.record.pruned is not None
    assert second.record.pruned.epoch == 2


def test_a_run_killed_before_its_rule_answered_is_asked_when_it_continues(
    make_swept: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_swept("0.05")
    with monkeypatch.context() as patch:
        patch.setattr(module.Pruner, "check", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):  # as SIGKILL does, this records nothing
            execute(spec)
    assert content(next(spec.runs.glob("tiny-*")))["status"] == "running"
    record = execute(spec).record
    assert record.pruned is not None
    assert record.pruned.epoch == 1
    assert len(record.segments) == 2


def test_later_seeds_are_not_paused(make_swept: Make) -> None:
    spec = make_swept("0.05", "seed=1")
    path = spec.outputs / "sweeps/rates/runs.csv"
    path.write_text(f"run_id,folder,status,seed\n0123456789,,,0\n{spec.run_id},,,1\n")
    assert execute(spec).record.status == "completed"
