import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.runs.files import write_csv, write_text
from cifar_exp.runs.lock import held
from cifar_exp.runs.record import RunRecord
from cifar_exp.sweeps.snapshot import SnapshotReader, latest_examples

DATASET = {
    "name": "shapes",
    "fingerprint": "f",
    "classes": 1,
    "class_names": ["a"],
    "superclasses": None,
    "split_seed": 0,
    "train_size": 100,
    "val_size": 0,
    "test_size": 0,
}
EPOCHS = 10
Write = Callable[..., Path]


def run_id(index: int) -> str:
    return f"{index:010d}"


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return tmp_path


@pytest.fixture
def write_run(outputs: Path) -> Write:
    """Writes a run of ten epochs with a tenth of a peta-operation each, as far as it has come."""

    def write(
        index: int, status: str, epoch: int = EPOCHS, seconds: float = 1.0, **more: Any
    ) -> Path:
        folder = outputs / "runs" / f"tiny-{run_id(index)}"
        folder.mkdir()
        compute = {"device": "cpu", "device_name": "", "threads": 1, "precision": "fp32"}
        record = {
            "run_id": run_id(index),
            "label": "tiny",
            "status": status,
            "seed": 0,
            "params": {"trainer.epochs": EPOCHS},
            "dataset": DATASET,
            "model": {"parameters": 1, "macs": 1},
            "compute": {**compute, "pflop": epoch / 10, "train_seconds": seconds, "lr_groups": []},
            "segments": [],
            "started_at": "",
            "environment": {},
            **more,
        }
        RunRecord.model_validate(record).save(folder)
        if epoch:
            columns = ["epoch", "elapsed_seconds"]
            row = {"epoch": epoch, "elapsed_seconds": seconds}
            write_csv(folder / "metrics.csv", columns, [row])
        return folder

    return write


@pytest.fixture
def make_sweep(outputs: Path) -> Callable[[int], SnapshotReader]:
    """A sweep of so many runs, each of which is expected to compute one peta-operation."""

    def make(runs: int) -> SnapshotReader:
        folder = outputs / "sweeps" / "mine"
        folder.mkdir(parents=True)
        columns = ["run_id", "folder", "status", "model.width"]
        rows = [{"run_id": run_id(i), "status": "pending", "model.width": i} for i in range(runs)]
        write_csv(folder / "runs.csv", columns, rows)
        efforts = "".join(f"  '{run_id(i)}': [{100 * EPOCHS * 4 / 3}, 1.0]\n" for i in range(runs))
        write_text(folder / "sweep.yaml", f"name: mine\nefforts:\n{efforts}")
        return SnapshotReader(folder)

    return make


def val(accuracy: float, epoch: int = EPOCHS) -> dict[str, Any]:
    return {"epoch": epoch, "val_accuracy": accuracy, "val_loss": 1.0}


def test_all_runs_are_counted_as_they_stand(
    make_sweep: Callable, write_run: Write, outputs: Path
) -> None:
    reader = make_sweep(8)
    standing = ["completed", "completed", "failed", "diverged", "interrupted", "running", "running"]
    for index, status in enumerate(standing):
        write_run(index, status)
    write_run(99, "completed")  # of another sweep
    with held(outputs / "runs", run_id(5)):
        snapshot = reader.take()
    assert snapshot.name == "mine"
    assert snapshot.counts == {
        "completed": 2,
        "failed": 1,
        "diverged": 1,
        "interrupted": 2,  # nobody holds number 6
        "running": 1,
        "pending": 1,
    }
    assert [row.run_id for row in snapshot.rows] == [run_id(i) for i in range(8)]
    assert [row.run_id for row in snapshot.running] == [run_id(5)]
    assert [row.run_id for row in snapshot.unsuccessful] == [run_id(i) for i in (2, 3, 4, 6)]


def test_completed_runs_are_ranked_by_the_weights_that_count(
    make_sweep: Callable, write_run: Write
) -> None:
    reader = make_sweep(6)
    best = {"trainer.epochs": EPOCHS, "trainer.evaluate": "best"}
    test = {"accuracy": 0.95, "top5_accuracy": 1, "loss": 0, "ece": 0, "superclass_accuracy": None}
    write_run(0, "completed", final=val(0.5), best=val(0.9), test=test)
    write_run(1, "completed", final=val(0.7), best=val(0.7))
    write_run(2, "completed", final=val(0.1), best=val(0.6), params=best)
    write_run(3, "failed", final=val(0.99), best=val(0.99))
    write_run(4, "completed")  # no figure at all
    snapshot = reader.take()
    assert [row.run_id for row in snapshot.ranked] == [run_id(i) for i in (1, 2, 0, 4)]
    assert [snapshot.metric(row) for row in snapshot.ranked] == [0.7, 0.6, 0.5, None]
    assert snapshot.best == snapshot.ranked[0] == snapshot.rows[1]


def test_without_validation_runs_are_ranked_by_test(make_sweep: Callable, write_run: Write) -> None:
    reader = make_sweep(2)
    part = {"top5_accuracy": 1, "loss": 0, "ece": 0, "superclass_accuracy": None}
    final = {"epoch": EPOCHS, "val_accuracy": None, "val_loss": None}
    for index, accuracy in enumerate((0.3, 0.4)):
        write_run(index, "completed", final=final, test={"accuracy": accuracy, **part})
    assert [row.run_id for row in reader.take().ranked] == [run_id(1), run_id(0)]


def test_before_the_first_run_is_done_there_is_no_best(make_sweep: Callable) -> None:
    snapshot = make_sweep(3).take()
    assert (snapshot.best, snapshot.ranked, snapshot.seconds_left) == (None, [], None)
    assert snapshot.counts == {"pending": 3}


def test_what_is_final_is_read_once_and_the_rest_each_time(
    make_sweep: Callable, write_run: Write
) -> None:
    reader = make_sweep(2)
    done, failed = write_run(0, "completed"), write_run(1, "failed")
    reader.take()
    for folder in (done, failed):
        (folder / "run.json").unlink()
    assert reader.take().counts == {"completed": 1, "pending": 1}
    done.rename(done.with_name(done.name + ".rerun"))
    assert reader.take().counts == {"pending": 2}


def test_the_time_left_is_that_of_the_runs_still_to_do(
    make_sweep: Callable, write_run: Write, outputs: Path
) -> None:
    reader = make_sweep(6)
    write_run(0, "completed", seconds=100.0)  # so long takes a whole run
    write_run(1, "running", epoch=5, seconds=60.0)  # 60 s more
    write_run(2, "running", epoch=2, seconds=20.0)  # 80 s more
    write_run(3, "interrupted", epoch=4, seconds=40.0)  # 60 s more
    with ExitStack() as stack:
        for index in (1, 2):
            stack.enter_context(held(outputs / "runs", run_id(index)))
        seconds = reader.take().seconds_left
    # two at a time, in grid order as all ask for as much:
    # after 60 s number 3 until 120 s; after 80 s number 4 until 180; number 5 from 120 to 220
    assert seconds == pytest.approx(220.0)


def test_time_is_judged_by_other_runs_where_the_sweep_has_none_done(
    make_sweep: Callable, write_run: Write, outputs: Path
) -> None:
    reader = make_sweep(2)
    write_run(50, "completed", seconds=30.0)
    with held(outputs / "runs", run_id(0)):
        assert reader.take().seconds_left == pytest.approx(60.0)


def test_without_any_example_no_time_is_told(make_sweep: Callable, outputs: Path) -> None:
    reader = make_sweep(2)
    with held(outputs / "runs", run_id(0)):
        assert reader.take().seconds_left is None


def test_where_nothing_runs_no_time_is_told(make_sweep: Callable, write_run: Write) -> None:
    reader = make_sweep(2)
    write_run(0, "completed", seconds=30.0)
    assert reader.take().seconds_left is None


def test_the_latest_runs_are_the_examples(
    write_run: Write, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.sweeps.snapshot.FEW_EXAMPLES", 3)
    folders = {run_id(i): write_run(i, "completed", seconds=10.0 * i) for i in range(1, 6)}
    folders[run_id(6)] = write_run(6, "failed", seconds=1.0)
    now = time.time()
    for age, index in enumerate((2, 6, 4, 1, 5, 3)):
        os.utime(folders[run_id(index)], (now, now - age))
    examples = latest_examples(outputs / "runs", folders)
    assert sorted(e.seconds_per_image * 1000 * 4 / 3 for e in examples) == pytest.approx(
        [20.0, 40.0]
    )
