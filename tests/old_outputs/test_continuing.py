"""Outputs of version 0.1 are listed, continued and reported.

Losses after an old checkpoint are compared to within 0.1 %: other instruction sets change them by
0.00002 %, and a part of the checkpoint that is not restored changes one by more than 1 %. A run
that is trained from its beginning amplifies rounding too much for that; its first epoch does not.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cifar_exp import report

pytestmark = pytest.mark.slow

SWEEP_NAME = "model.width-seed-dd58eb"
COMPLETED = ("7c9ec7580d", "008a13dbac")
PENDING = "bfc135dfab"
STOPPED_IN_EPOCH_5 = "7b805cc24d"  # after 3 of its 6 steps
STOPPED_AFTER_EPOCH_3 = "37f9db3c11"  # which was trained, but not evaluated
STARTED_FROM_OLD_WEIGHTS = "c184ebf350"
INTERRUPTED = (STOPPED_IN_EPOCH_5, STOPPED_AFTER_EPOCH_3)
AFTER_OLD_CHECKPOINT = (*INTERRUPTED, STARTED_FROM_OLD_WEIGHTS)
TRAINED_NOW = (*AFTER_OLD_CHECKPOINT, PENDING)
BEFORE = {
    **dict.fromkeys(COMPLETED, "completed"),
    STOPPED_IN_EPOCH_5: "interrupted",
    PENDING: "pending",
}
SHARES = ("train_accuracy", "val_accuracy", "val_top5_accuracy", "train_eval_accuracy")
TOLERANCE = 1e-3
ONE_IMAGE = 1 / 24 + 1e-9  # of the smallest split
STEPS_PER_EPOCH = 6


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def line_of(lines: list[str], word: str) -> str:
    (line,) = [line for line in lines if word in line]
    return line


def test_status_lists_the_old_sweep_and_the_old_run(continued: Any) -> None:
    sweep = line_of(continued.listed_before, SWEEP_NAME)
    for words in ("4 runs", "2 completed", "1 interrupted", "1 pending", "75.00 %"):
        assert words in sweep
    single = line_of(continued.listed_before, STOPPED_AFTER_EPOCH_3)
    assert single.startswith("interrupted ")
    assert "2/6" in single


def test_status_lists_all_as_completed_afterwards(continued: Any) -> None:
    assert "4 completed" in line_of(continued.listed_after, SWEEP_NAME)
    single = line_of(continued.listed_after, STOPPED_AFTER_EPOCH_3)
    assert single.startswith("completed ")
    assert "6/6" in single


def test_the_plan_has_the_old_ids_and_their_statuses(continued: Any) -> None:
    found = [re.match(r"\s+([0-9a-f]{10})\s+(\w+)\s", line) for line in continued.planned]
    assert {match[1]: match[2] for match in found if match} == BEFORE
    assert line_of(continued.planned, SWEEP_NAME)


def test_every_run_keeps_its_folder(continued: Any, old: Any) -> None:
    new = {f"tiny-{run_id}" for run_id in (PENDING, STARTED_FROM_OLD_WEIGHTS)}
    before = {path.name for path in old.folder.iterdir()}
    assert {path.name for path in continued.runs.folder.glob("[!.]*")} == before | new


@pytest.mark.parametrize("run_id", COMPLETED)
def test_a_completed_run_stays_byte_for_byte(continued: Any, old: Any, run_id: str) -> None:
    assert contents(continued.runs.path(run_id)) == contents(old.path(run_id))


@pytest.mark.parametrize(
    ("run_id", "rows_before", "from_epoch"),
    [(STOPPED_IN_EPOCH_5, 4, 5), (STOPPED_AFTER_EPOCH_3, 2, 4)],
)
def test_an_interrupted_run_continues_from_its_position(
    continued: Any, old: Any, run_id: str, rows_before: int, from_epoch: int
) -> None:
    for name in ("metrics.csv", "extra.csv"):
        before = (old.path(run_id) / name).read_bytes()
        assert before.count(b"\n") == 1 + rows_before
        assert (continued.runs.path(run_id) / name).read_bytes().startswith(before)
    log = (old.path(run_id) / "train.log").read_bytes()
    assert (continued.runs.path(run_id) / "train.log").read_bytes().startswith(log)
    record, old_record = continued.runs.record(run_id), old.record(run_id)
    *before, last = record["segments"]
    assert before == old_record["segments"]
    assert (last["from_epoch"], last["device"], last["threads"]) == (from_epoch, "cpu", 1)
    assert record["started_at"] == old_record["started_at"]


@pytest.mark.parametrize("run_id", TRAINED_NOW)
def test_epochs_and_steps_are_those_of_the_old_code(
    continued: Any, undisturbed: Any, run_id: str
) -> None:
    rows, old_rows = continued.runs.epochs(run_id), undisturbed.epochs(run_id)
    assert [list(row) for row in rows] == [list(row) for row in old_rows]
    epochs = range(1, len(old_rows) + 1)
    assert [int(row["epoch"]) for row in rows] == list(epochs)
    assert [int(row["step"]) for row in rows] == [STEPS_PER_EPOCH * epoch for epoch in epochs]


@pytest.mark.parametrize("run_id", AFTER_OLD_CHECKPOINT)
def test_metrics_are_those_of_the_old_code_without_an_interruption(
    continued: Any, undisturbed: Any, largest_change: Callable[..., float], run_id: str
) -> None:
    rows, old_rows = continued.runs.epochs(run_id), undisturbed.epochs(run_id)
    assert [row["lr"] for row in rows] == [row["lr"] for row in old_rows]
    for name in SHARES:
        shares = [float(row[name]) for row in rows]
        assert shares == pytest.approx([float(row[name]) for row in old_rows], abs=ONE_IMAGE)
    change = largest_change(continued.runs.losses(run_id), undisturbed.losses(run_id))
    assert change < TOLERANCE
    record, old_record = continued.runs.record(run_id), undisturbed.record(run_id)
    accuracy, old_accuracy = (r["test"]["accuracy"] for r in (record, old_record))
    assert accuracy == pytest.approx(old_accuracy, abs=ONE_IMAGE)
    for key in ("best", "final"):
        assert record[key]["epoch"] == old_record[key]["epoch"]
        assert record[key]["val_loss"] == pytest.approx(old_record[key]["val_loss"], rel=TOLERANCE)


def test_the_pending_run_begins_as_in_the_old_code(
    continued: Any, undisturbed: Any, largest_change: Callable[..., float]
) -> None:
    first = slice(3)  # the losses of the first epoch
    losses, old_losses = (runs.losses(PENDING)[first] for runs in (continued.runs, undisturbed))
    assert largest_change(losses, old_losses) < TOLERANCE


@pytest.mark.parametrize("run_id", TRAINED_NOW)
def test_a_record_has_the_form_of_the_old_one(
    continued: Any, undisturbed: Any, run_id: str
) -> None:
    new, old = continued.runs.record(run_id), undisturbed.record(run_id)
    assert set(old) <= set(new)
    for key in ("schema", "run_id", "label", "status", "seed", "dataset", "model", "error"):
        assert new[key] == old[key]
    assert old["params"].items() <= new["params"].items()
    for key in ("compute", "best", "final", "test"):
        assert set(old[key]) <= set(new[key])
    assert new["compute"]["lr_groups"] == old["compute"]["lr_groups"]
    assert new["compute"]["pflop"] == pytest.approx(old["compute"]["pflop"], rel=1e-9)


@pytest.mark.parametrize("run_id", [*INTERRUPTED, PENDING])
def test_predictions_have_the_form_of_the_old_ones(continued: Any, old: Any, run_id: str) -> None:
    def arrays(folder: Path) -> dict[str, np.ndarray]:
        with np.load(folder / "predictions.npz") as stored:
            return {name: stored[name] for name in stored.files}

    new, before = arrays(continued.runs.path(run_id)), arrays(old.path(COMPLETED[0]))
    assert [(name, a.dtype, a.shape) for name, a in new.items()] == [
        (name, a.dtype, a.shape) for name, a in before.items()
    ]
    assert (new["label"] == before["label"]).all()
    right = float((new["prediction"] == new["label"]).mean())
    assert continued.runs.record(run_id)["test"]["accuracy"] == right


def test_the_sweep_keeps_its_table_and_its_commands(
    continued: Any, example: Path, table: Callable[..., list[dict[str, str]]]
) -> None:
    old = example / "outputs" / "sweeps" / SWEEP_NAME
    new = continued.folder / "outputs" / "sweeps" / SWEEP_NAME
    assert [path.name for path in new.parent.glob("[!.]*")] == [SWEEP_NAME]
    rows = [
        {**row, "status": "completed", "folder": f"../../runs/tiny-{row['run_id']}"}
        for row in table(old / "runs.csv")
    ]
    assert table(new / "runs.csv") == rows
    before, after = (yaml.safe_load((f / "sweep.yaml").read_text()) for f in (old, new))
    assert after["commands"][:-1] == before["commands"]
    assert {**after, "commands": before["commands"]} == before


def test_the_report_holds_all_runs(
    continued: Any, table: Callable[..., list[dict[str, str]]]
) -> None:
    continued.give(report.main, "outputs", "--output", "report")
    folder = continued.folder / "report"
    all_runs = {*BEFORE, STOPPED_AFTER_EPOCH_3, STARTED_FROM_OLD_WEIGHTS}
    rows, history = table(folder / "runs.csv"), table(folder / "history.csv")
    assert {row["run_id"]: row["status"] for row in rows} == dict.fromkeys(all_runs, "completed")
    assert {row["run_id"] for row in rows if SWEEP_NAME in row["groups"]} == set(BEFORE)
    epochs = {run_id: sum(row["run_id"] == run_id for row in history) for run_id in all_runs}
    assert epochs == {**dict.fromkeys(all_runs, 6), STARTED_FROM_OLD_WEIGHTS: 1}
    assert SWEEP_NAME in (folder / "index.html").read_text()


def test_the_report_can_be_written_before_the_sweep_is_continued(
    place: Any, table: Callable[..., list[dict[str, str]]]
) -> None:
    place.give(report.main, f"outputs/sweeps/{SWEEP_NAME}", "--output", "report")
    rows = table(place.folder / "report" / "runs.csv")
    begun = {run_id: status for run_id, status in BEFORE.items() if run_id != PENDING}
    assert {row["run_id"]: row["status"] for row in rows} == begun
