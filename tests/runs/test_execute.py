import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cifar_exp.errors import UserError
from cifar_exp.runs.execute import execute
from cifar_exp.runs.request import Request

Make = Callable[..., Request]

COLUMNS = (
    "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,val_top5_accuracy,"
    "epoch_seconds,elapsed_seconds,images_per_second"
)
KEYS = {
    "": "schema run_id label status seed params dataset model compute segments best final test "
    "started_at finished_at environment error",
    "dataset": "name fingerprint classes class_names superclasses split_seed train_size val_size "
    "test_size",
    "model": "parameters macs",
    "compute": "device device_name threads precision pflop train_seconds peak_memory_mb lr_groups",
    "best": "epoch val_accuracy val_loss",
    "final": "epoch val_accuracy val_loss",
    "test": "accuracy top5_accuracy loss ece superclass_accuracy",
    "environment": "python torch cifar_exp git_commit git_dirty host",
}
# A rate that never settles: the last epoch is not the best one.
RESTLESS = ("scheduler=constant", "optimizer.lr=0.2", "trainer.epochs=6")


def rows(folder: Path, name: str = "metrics.csv") -> list[dict[str, str]]:
    with (folder / name).open() as stream:
        return list(csv.DictReader(stream))


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def test_the_folder_holds_the_contracts_files_columns_and_keys(make_request: Make) -> None:
    folder = execute(make_request("optimizer.lr=0.1")).folder
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


def test_metrics_tell_each_epochs_steps_rates_and_speeds(make_request: Make) -> None:
    found = rows(execute(make_request()).folder)
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    assert [row["step"] for row in found] == ["6", "12", "18"]
    # one-cycle, linear down from 0.2 of 18 steps on, at the middle of steps 6, 12 and 18
    expected = [0.05 * (1 - (step - 0.5) / 18) / 0.8 for step in (6, 12, 18)]
    assert [float(row["lr"]) for row in found] == pytest.approx(expected)
    for row in found:
        speed = 96 / float(row["epoch_seconds"])
        assert float(row["images_per_second"]) == pytest.approx(speed, rel=0.05)
    elapsed = [float(row["elapsed_seconds"]) for row in found]
    training = np.cumsum([float(row["epoch_seconds"]) for row in found])
    assert elapsed == sorted(elapsed)
    assert all(elapsed > training)  # validation takes time too


def test_the_record_agrees_with_metrics_and_predictions(make_request: Make) -> None:
    folder = execute(make_request()).folder
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


def test_compute_is_six_macs_an_image_at_the_resolution_seen(make_request: Make) -> None:
    found = record(execute(make_request("model.stem=none", "model.depth=1")).folder)
    # 3 -> 4 and, pooled, 4 -> 8 channels; mean and maximum of 8 channels to four classes
    macs = {n: 9 * (3 * 4 * n * n + 4 * 8 * (n // 2) ** 2) + 16 * 4 for n in (12, 16)}
    assert found["model"]["macs"] == macs[16]
    expected = 6 * 96 * (1.5 * macs[12] + 1.5 * macs[16]) / 1e15
    assert found["compute"]["pflop"] == pytest.approx(expected)


def test_a_completed_run_is_returned_and_not_trained_again(
    make_request: Make, capsys: pytest.CaptureFixture
) -> None:
    first = execute(make_request())
    before = (first.folder / "run.json").stat().st_mtime_ns
    again = execute(make_request("trainer.progress=plain", label="other"))
    assert again.folder == first.folder
    assert again.record.metric == first.record.metric
    assert (first.folder / "run.json").stat().st_mtime_ns == before
    assert "rerun=true trains it anew" in capsys.readouterr().out


def test_a_run_made_by_another_commit_says_so(
    make_request: Make, capsys: pytest.CaptureFixture
) -> None:
    folder = execute(make_request()).folder
    found = record(folder)
    found["environment"]["git_commit"] = "f" * 40
    (folder / "run.json").write_text(json.dumps(found))
    execute(make_request("trainer.progress=plain"))
    told = capsys.readouterr().out
    assert f"completed on {found['finished_at']} by another commit (ffffffffff)" in told


def test_a_rerun_takes_the_place_of_the_run_when_it_is_complete(make_request: Make) -> None:
    first = execute(make_request())
    (first.folder / "train.log").write_text("of the first")
    again = execute(make_request("rerun=true"))
    assert again.folder == first.folder
    assert "of the first" not in (first.folder / "train.log").read_text()
    assert [p.name for p in first.folder.parent.iterdir() if p.name[0] != "."] == [
        first.folder.name
    ]


@pytest.mark.parametrize(
    ("keep", "files", "has_optimizer"),
    [("weights", {"last.pt", "best.pt"}, False), ("all", {"last.pt", "best.pt"}, True)],
)
def test_keep_says_what_of_the_checkpoints_stays(
    make_request: Make, keep: str, files: set[str], has_optimizer: bool
) -> None:
    folder = execute(make_request(f"keep={keep}")).folder / "checkpoints"
    assert {path.name for path in folder.iterdir()} == files
    state = torch.load(folder / "last.pt", weights_only=True)
    assert ("loop" in state) is has_optimizer


def test_keep_none_leaves_no_checkpoint(make_request: Make) -> None:
    folder = execute(make_request("keep=none")).folder
    assert list((folder / "checkpoints").iterdir()) == []


def test_normalisation_and_class_names_travel_with_the_weights(make_request: Make) -> None:
    request = make_request()
    folder = execute(request).folder
    state = torch.load(folder / "checkpoints" / "best.pt", weights_only=True)
    assert state["class_names"] == ["across", "along", "falling", "rising"]
    assert all(0.4 < value < 0.6 for value in state["normalisation"]["mean"])
    assert state["run_id"] == record(folder)["run_id"]


def test_without_val_test_is_used_and_labelled(
    make_request: Make, capsys: pytest.CaptureFixture
) -> None:
    done = execute(make_request("data.val_fraction=0", "trainer.progress=plain"))
    assert all(row["val_loss"] == row["val_accuracy"] == "" for row in rows(done.folder))
    assert done.record.test is not None
    assert done.record.metric == done.record.test.accuracy
    assert done.record.final is not None
    assert done.record.final.val_accuracy is None
    assert "not for choosing" in capsys.readouterr().out
    files = {path.name for path in (done.folder / "checkpoints").iterdir()}
    assert files == {"last.pt", "best.pt"}


def test_evaluate_best_tests_the_weights_that_did_best_on_val(make_request: Make) -> None:
    hurt = ("trainer.evaluate=best", *RESTLESS)
    done = execute(make_request(*hurt, "keep=all"))
    assert done.record.best is not None
    assert done.record.final is not None
    assert done.record.best.val_accuracy > done.record.final.val_accuracy
    assert done.record.metric == done.record.best.val_accuracy
    last = execute(make_request(*hurt[1:]))
    assert last.record.metric == last.record.final.val_accuracy
    assert last.record.test != done.record.test


def test_a_diverged_run_is_final_and_says_where(make_request: Make) -> None:
    request = make_request("optimizer.lr=1e30")
    first = execute(request)
    assert first.record.status == "diverged"
    assert first.record.error is not None
    assert first.record.error.message.startswith("the training loss is not finite in epoch 1")
    assert "Traceback" in (first.folder / "train.log").read_text()
    before = (first.folder / "run.json").stat().st_mtime_ns
    assert execute(request).record.status == "diverged"
    assert (first.folder / "run.json").stat().st_mtime_ns == before


def test_a_failed_run_is_tried_again_from_its_checkpoint(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cifar_exp.runs import session

    real, calls = session.evaluate, iter(range(3))

    def fail_later(*arguments: object) -> object:
        if next(calls, None) is None:
            raise RuntimeError("the roof fell in")
        return real(*arguments)

    monkeypatch.setattr(session, "evaluate", fail_later)
    failed = execute(make_request())
    assert failed.record.status == "failed"
    assert failed.record.error is not None
    assert failed.record.error.message == "the roof fell in"
    assert "the roof fell in" in failed.record.error.traceback
    monkeypatch.undo()
    done = execute(make_request())
    assert done.record.status == "completed"
    assert [segment.from_epoch for segment in done.record.segments] == [1, 2]
    assert done.record.error is None


def test_init_from_starts_from_another_runs_weights(make_request: Make) -> None:
    first = execute(make_request())
    run = first.record.run_id
    frozen = ("optimizer.lr=1e-12", "trainer.epochs=1", "model.dropout=0")
    by_id = execute(make_request(f"init_from='{run}'", *frozen))
    expected = torch.load(first.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    found = torch.load(by_id.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    torch.testing.assert_close(found["head.1.weight"], expected["head.1.weight"])
    assert by_id.record.run_id != run
    by_folder = execute(make_request(f"init_from='{first.folder}'", *frozen))
    assert by_folder.folder == by_id.folder


def test_init_from_a_run_that_is_not_there_is_the_users_mistake(make_request: Make) -> None:
    request = make_request("init_from='0123456789'")
    with pytest.raises(UserError, match=r"^init_from=0123456789: there is no such run in "):
        execute(request)
    assert not request.runs.exists()


def test_weights_that_do_not_fit_are_told(make_request: Make) -> None:
    run = execute(make_request()).record.run_id
    with pytest.raises(UserError, match=f"^init_from={run}: its weights do not fit this model"):
        execute(make_request(f"init_from='{run}'", "model.width=8"))


def test_absent_images_are_told_before_any_folder_is_made(
    make_request: Make, tmp_path: Path
) -> None:
    request = make_request(f"data.root={tmp_path / 'nowhere'}")
    with pytest.raises(UserError, match=r"^data.root=.*nowhere: there is no folder .*train"):
        execute(request)
    assert not request.outputs.exists()


def test_the_epochs_best_weights_are_kept_apart_from_the_last(make_request: Make) -> None:
    folder = execute(make_request(*RESTLESS)).folder / "checkpoints"
    best, last = (
        torch.load(folder / name, weights_only=True)["network"] for name in ("best.pt", "last.pt")
    )
    assert not torch.equal(best["head.1.weight"], last["head.1.weight"])
