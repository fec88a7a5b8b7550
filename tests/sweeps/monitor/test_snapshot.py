import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.storage.atomic import write_csv, write_text
from cifar_exp.storage.lock import lock_run
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState, read_state
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader, latest_samples

EPOCHS = 10
Write = Callable[..., Path]


def run_id(index: int) -> str:
    return f"{index:010d}"


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return tmp_path


@pytest.fixture
def write_run(make_record: Callable[..., RunRecord], outputs: Path) -> Write:
    """Writes a run of ten epochs with 0.1 PFLOP each, of which `epoch` are done."""

    def write(
        index: int, status: str, epoch: int = EPOCHS, seconds: float = 1.0, **more: Any
    ) -> Path:
        folder = outputs / "runs" / f"tiny-{run_id(index)}"
        folder.mkdir()
        more = {"pflop": epoch / 10, "train_seconds": seconds, **more}
        make_record(status, run_id=run_id(index), epochs=EPOCHS, **more).save(folder)
        if epoch:
            write_text(folder / "metrics.csv", f"epoch,elapsed_seconds\n{epoch},{seconds}\n")
        return folder

    return write


@pytest.fixture
def make_sweep(outputs: Path) -> Callable[[int], SnapshotReader]:
    """A sweep of this many runs with an estimated cost of 1 PFLOP each."""

    def make(runs: int) -> SnapshotReader:
        folder = outputs / "sweeps" / "mine"
        folder.mkdir(parents=True)
        columns = ["run_id", "folder", "status", "model.width"]
        rows = [{"run_id": run_id(i), "status": "pending", "model.width": i} for i in range(runs)]
        write_csv(folder / "runs.csv", columns, rows)
        costs = "".join(f"  '{run_id(i)}': [{100 * EPOCHS * 4 / 3}, 1.0]\n" for i in range(runs))
        write_text(folder / "sweep.yaml", f"name: mine\nefforts:\n{costs}")
        return SnapshotReader(folder)

    return make


def test_all_runs_are_counted_by_status(
    make_sweep: Callable, write_run: Write, outputs: Path
) -> None:
    reader = make_sweep(8)
    standing = ["completed", "completed", "failed", "diverged", "interrupted", "running", "running"]
    for index, status in enumerate(standing):
        write_run(index, status)
    write_run(99, "completed")  # of another sweep
    with lock_run(outputs / "runs", run_id(5)):
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
    write_run(0, "completed", final=0.5, best=0.9, test=0.95)
    write_run(1, "completed", final=0.7, best=0.7)
    write_run(2, "completed", final=0.1, best=0.6, **{"trainer.evaluate": "best"})
    write_run(3, "failed", final=0.99, best=0.99)
    write_run(4, "completed")  # no figure at all
    snapshot = reader.take()
    assert [row.run_id for row in snapshot.ranked] == [run_id(i) for i in (1, 2, 0, 4)]
    assert [snapshot.metric(row) for row in snapshot.ranked] == [0.7, 0.6, 0.5, None]
    assert snapshot.ranked[0] == snapshot.rows[1]


def test_without_validation_runs_are_ranked_by_test(make_sweep: Callable, write_run: Write) -> None:
    reader = make_sweep(2)
    for index, accuracy in enumerate((0.3, 0.4)):
        write_run(index, "completed", final=None, test=accuracy)
    assert [row.run_id for row in reader.take().ranked] == [run_id(1), run_id(0)]


def test_before_the_first_run_is_completed_there_is_no_ranking(make_sweep: Callable) -> None:
    snapshot = make_sweep(3).take()
    assert (snapshot.ranked, snapshot.seconds_left) == ([], None)
    assert snapshot.counts == {"pending": 3}


def test_a_run_that_has_ended_is_read_once_until_it_is_written_again(
    make_sweep: Callable, write_run: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = make_sweep(2)
    done, _ = write_run(0, "completed"), write_run(1, "failed")
    read: list[str] = []

    def noted(runs: Path, run_id: str, folder: Path | None) -> RunState:
        read.append(run_id)
        return read_state(runs, run_id, folder)

    monkeypatch.setattr("cifar_exp.sweeps.states.read_state", noted)
    for _ in range(3):
        assert reader.take().counts == {"completed": 1, "failed": 1}
    assert read == [run_id(0), run_id(1), run_id(1), run_id(1)]
    rewritten = (done / "run.json").stat().st_mtime_ns + 1_000_000
    os.utime(done / "run.json", ns=(rewritten, rewritten))
    reader.take()
    assert read.count(run_id(0)) == 2


def test_the_time_left_is_that_of_the_remaining_runs(
    make_sweep: Callable, write_run: Write, outputs: Path
) -> None:
    reader = make_sweep(6)
    write_run(0, "completed", seconds=100.0)  # so long takes a whole run
    write_run(1, "running", epoch=5, seconds=60.0)  # 60 s more
    write_run(2, "running", epoch=2, seconds=20.0)  # 80 s more
    write_run(3, "interrupted", epoch=4, seconds=40.0)  # 60 s more
    with ExitStack() as stack:
        for index in (1, 2):
            stack.enter_context(lock_run(outputs / "runs", run_id(index)))
        seconds = reader.take().seconds_left
    # two at a time, in grid order as all ask for as much:
    # after 60 s number 3 until 120 s; after 80 s number 4 until 180; number 5 from 120 to 220
    assert seconds == pytest.approx(220.0)


def test_the_time_is_estimated_from_other_runs_if_the_sweep_has_none_completed(
    make_sweep: Callable, write_run: Write, outputs: Path
) -> None:
    reader = make_sweep(2)
    write_run(50, "completed", seconds=30.0)
    with lock_run(outputs / "runs", run_id(0)):
        assert reader.take().seconds_left == pytest.approx(60.0)


def test_without_any_sample_no_time_is_shown(make_sweep: Callable, outputs: Path) -> None:
    reader = make_sweep(2)
    with lock_run(outputs / "runs", run_id(0)):
        assert reader.take().seconds_left is None


def test_if_nothing_is_running_no_time_is_shown(make_sweep: Callable, write_run: Write) -> None:
    reader = make_sweep(2)
    write_run(0, "completed", seconds=30.0)
    assert reader.take().seconds_left is None


def test_the_latest_runs_are_the_samples(
    write_run: Write, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.sweeps.monitor.snapshot.MAX_SAMPLES", 3)
    folders = {run_id(i): write_run(i, "completed", seconds=10.0 * i) for i in range(1, 6)}
    folders[run_id(6)] = write_run(6, "failed", seconds=1.0)
    now = time.time()
    for age, index in enumerate((2, 6, 4, 1, 5, 3)):
        os.utime(folders[run_id(index)], (now, now - age))
    examples = latest_samples(outputs / "runs", folders)
    assert sorted(e.seconds_per_image * 1000 * 4 / 3 for e in examples) == pytest.approx(
        [20.0, 40.0]
    )
