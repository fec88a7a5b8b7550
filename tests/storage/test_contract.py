"""The run directory as README and docs/formats.md promise it to other programs."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from cifar_exp.config.identity import run_id
from cifar_exp.config.validation import validate
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec

Make = Callable[..., RunSpec]

COLUMNS = (
    "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,val_top5_accuracy,"
    "epoch_seconds,elapsed_seconds,images_per_second"
)
KEYS = {
    "": "schema run_id label status seed params dataset model compute segments pruned best final "
    "test started_at finished_at environment error",
    "dataset": "name fingerprint classes class_names superclasses split_seed train_size val_size "
    "test_size",
    "model": "parameters macs",
    "compute": "device device_name threads precision pflop train_seconds peak_memory_mb lr_groups",
    "best": "epoch val_accuracy val_loss",
    "final": "epoch val_accuracy val_loss",
    "test": "accuracy top5_accuracy loss ece superclass_accuracy",
    "environment": "python torch cifar_exp git_commit git_dirty host",
}


def rows(folder: Path, name: str = "metrics.csv") -> list[dict[str, str]]:
    with (folder / name).open() as stream:
        return list(csv.DictReader(stream))


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def test_the_folder_holds_the_contracts_files_columns_and_keys(make_spec: Make) -> None:
    folder = execute(make_spec("optimizer.lr=0.1")).folder
    assert folder.name == f"tiny-{record(folder)['run_id']}"
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml",
        "overrides.yaml",
        "run.json",
        "metrics.csv",
        "extra.csv",
        "predictions.npz",
        "checkpoints",
        "train.log",
    }
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {"last.pt", "best.pt"}
    assert (folder / "metrics.csv").read_text().splitlines()[0] == COLUMNS
    assert (folder / "overrides.yaml").read_text() == "- 'optimizer.lr=0.1'\n"
    found = record(folder)
    for part, keys in KEYS.items():
        assert list(found[part] if part else found) == keys.split()
    assert list(found["segments"][0]) == ["host", "device", "threads", "from_epoch", "started_at"]
    assert folder.parent.parent / "latest" == (folder.parent.parent / "latest").absolute()
    assert (folder.parent.parent / "latest").resolve() == folder.resolve()


def test_metrics_hold_each_epochs_steps_rates_and_speeds(make_spec: Make) -> None:
    found = rows(execute(make_spec()).folder)
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    assert [row["step"] for row in found] == ["6", "12", "18"]
    # one-cycle, linear down from 0.2 of 18 steps on, at the middle of steps 6, 12 and 18
    expected = [0.05 * (1 - (step - 0.5) / 18) / 0.8 for step in (6, 12, 18)]
    assert [float(row["lr"]) for row in found] == pytest.approx(expected)
    for row in found:
        seconds = 96 / float(row["images_per_second"])
        # seconds are written to 1 ms, speeds to 0.1
        assert float(row["epoch_seconds"]) == pytest.approx(seconds, rel=0.01, abs=6e-4)
    elapsed = [float(row["elapsed_seconds"]) for row in found]
    training = np.cumsum([float(row["epoch_seconds"]) for row in found])
    assert elapsed == sorted(elapsed)
    assert all(elapsed > training)  # validation takes time too


def test_the_record_agrees_with_metrics_and_predictions(make_spec: Make) -> None:
    folder = execute(make_spec()).folder
    found, history = record(folder), rows(folder)
    val = [float(row["val_accuracy"]) for row in history]
    assert found["final"]["val_accuracy"] == val[-1]
    assert found["best"] == {
        "epoch": val.index(max(val)) + 1,
        "val_accuracy": max(val),
        "val_loss": float(history[val.index(max(val))]["val_loss"]),
    }
    kept = np.load(folder / "predictions.npz")
    assert found["test"]["accuracy"] == (kept["label"] == kept["prediction"]).mean()
    assert [kept[name].dtype.name for name in ("label", "prediction", "confidence")] == [
        "int16",
        "int16",
        "float16",
    ]
    sizes = [found["dataset"][f"{part}_size"] for part in ("train", "val", "test")]
    assert sizes == [96, 32, 32]


def test_compute_is_six_macs_an_image_at_the_resolution_seen(make_spec: Make) -> None:
    found = record(execute(make_spec("model.stem=none", "model.depth=1")).folder)
    # 3 -> 4 and, pooled, 4 -> 8 channels; mean and maximum of 8 channels to four classes
    macs = {n: 9 * (3 * 4 * n * n + 4 * 8 * (n // 2) ** 2) + 16 * 4 for n in (12, 16)}
    assert found["model"]["macs"] == macs[16]
    expected = 6 * 96 * (1.5 * macs[12] + 1.5 * macs[16]) / 1e15
    assert found["compute"]["pflop"] == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["model=tiny", "model=resnet18"])
def test_config_yaml_gives_the_same_settings_again(make_spec: Make, model: str) -> None:
    spec = make_spec("trainer.epochs=1")
    settings = spec.settings.model_dump(mode="json", by_alias=True)
    if model == "model=resnet18":
        settings["model"] = {"_target_": "torchvision.models.resnet18", "num_classes": 4}
    asked = RunSpec(validate(settings), "any", (), spec.outputs)
    folder = execute(asked).folder
    again = validate(yaml.safe_load((folder / "config.yaml").read_text()))
    assert again == asked.settings
    assert run_id(again, record(folder)["dataset"]["fingerprint"]) == record(folder)["run_id"]
