"""From folders to runs and histories, with and without what was parsed before."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.load import runs as loading
from cifar_exp.analysis.load.cache import NAME
from cifar_exp.analysis.load.discover import Skipped, find_inputs
from cifar_exp.analysis.load.frames import exact_text, run_frame, settings_columns
from cifar_exp.analysis.load.parse import read_record
from cifar_exp.analysis.load.runs import LoadedRuns, load
from cifar_exp.storage.run_folder import METRICS


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where the report goes."""
    (tmp_path / "report").mkdir()
    return tmp_path / "report"


def read(outputs: Any, report: Path) -> LoadedRuns:
    loaded = load(find_inputs([outputs.path]), report)
    loaded.keep(report)
    return loaded


def test_histories_are_those_of_the_files_joined_by_epoch(outputs: Any, report: Path) -> None:
    folders = {outputs.run(seed=s, epochs=2 + s).name[-10:]: 2 + s for s in range(2)}
    history = read(outputs, report).history
    assert list(history.columns[1 : 1 + len(METRICS)]) == list(METRICS)
    for run_id, epochs in folders.items():
        own = history[history["run_id"] == run_id].reset_index(drop=True)
        folder = outputs.path / "runs" / f"tiny-{run_id}"
        expected = pd.read_csv(folder / "metrics.csv").merge(pd.read_csv(folder / "extra.csv"))
        assert len(own) == epochs
        pd.testing.assert_frame_equal(own[expected.columns], expected.astype(float))


def test_a_file_with_fewer_columns_or_words_for_numbers_has_gaps(
    outputs: Any, report: Path
) -> None:
    older, odd = outputs.run(seed=0), outputs.run(seed=1)
    (older / "metrics.csv").write_text("epoch,val_accuracy\n1,0.25\n2,0.5\n")
    (odd / "metrics.csv").write_text("epoch,val_accuracy\n1,high\n1,0.5\nx,1\n")
    loaded = read(outputs, report)
    older_rows = loaded.history[loaded.history["run_id"] == older.name[-10:]]
    assert older_rows["val_accuracy"].tolist() == [0.25, 0.5]
    assert older_rows["lr"].isna().all()
    odd_rows = loaded.history[loaded.history["run_id"] == odd.name[-10:]]
    assert odd_rows["val_accuracy"].tolist() == [0.5]  # of two lines of an epoch the later one
    told = {entry.reason for entry in loaded.left_out}
    assert "without cells of val_accuracy in metrics.csv that are no numbers" in told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (16, "16"),
        (None, "none"),
        (True, "true"),
        ([1, 2], "[1, 2]"),
        (12345678901, 12345678902),
        (0.1, 0.10000000000000002),
        ("a b", "a"),
        ("", None),
    ],
)
def test_settings_that_differ_are_never_taken_for_the_same(one: Any, other: Any) -> None:
    assert exact_text(one) != exact_text(other)


@pytest.mark.parametrize(("one", "other"), [(0.1, 1e-1), (16, 16.0), ("sgd", "sgd")])
def test_settings_that_are_the_same_have_one_text(one: Any, other: Any) -> None:
    assert exact_text(one) == exact_text(other)


def test_settings_and_figures_that_would_break_a_table_do_not(outputs: Any, report: Path) -> None:
    folder = outputs.run(val=0.5, huge__value=10**400, folder=3, status_="x")
    record = json.loads((folder / "run.json").read_text())
    record["environment"] = {"torch": {"a": 1}, "git_commit": ["b"]}
    record["final"]["val_loss"] = float("inf")
    (folder / "run.json").write_text(json.dumps(record))
    (row,) = run_frame(read(outputs, report)).to_dict("records")
    assert (row["folder"], row["torch"]) == (str(folder), "{'a': 1}")
    assert row["val_loss"] is None or np.isnan(row["val_loss"])
    assert row["huge.value"] == str(10**400)


def test_a_byte_order_mark_costs_nothing_and_a_missing_history_is_told(
    outputs: Any, report: Path
) -> None:
    marked, bare = outputs.run(seed=0), outputs.run(seed=1)
    text = (marked / "metrics.csv").read_text()
    (marked / "metrics.csv").write_text(text, encoding="utf-8-sig")
    (bare / "metrics.csv").unlink()
    loaded = read(outputs, report)
    assert len(loaded.history) == 3
    told = [Skipped(str(bare), "is completed and has no metrics.csv")]
    assert loaded.left_out == told
    assert read(outputs, report).left_out == told


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "metrics.csv",
            'epoch,val_accuracy\n1,"0.5\n2,0.6\n',
            "without cells of val_accuracy in metrics.csv",
        ),
        ("metrics.csv", "epoch,lr,lr\n1,2,3\n", "metrics.csv has a column twice"),
        ("extra.csv", "epoch,run_id\n1,2\n", "extra.csv has a column twice, or one of a name"),
        ("extra.csv", "epoch,run\n1,2\n", "extra.csv has a column twice, or one of a name"),
    ],
)
def test_a_table_that_is_damaged_in_an_odd_way_costs_no_other_run(
    outputs: Any, report: Path, name: str, text: str, told: str
) -> None:
    odd = outputs.run(seed=0)
    good = outputs.run(seed=1)
    (odd / name).write_text(text)
    loaded = read(outputs, report)
    assert (loaded.history["run_id"] == good.name[-10:]).sum() == 3
    assert any(told in entry.reason for entry in loaded.left_out)


def test_epochs_that_are_no_whole_numbers_are_left_out(outputs: Any, report: Path) -> None:
    odd = outputs.run()
    (odd / "metrics.csv").write_text(f"epoch,step\n1,1e25\n1.5,3\ninf,4\n2,{10**400}\n")
    history = read(outputs, report).history
    assert history["epoch"].tolist() == [1, 2]
    assert history["step"].isna().all()


def test_a_running_run_is_told_by_its_lock_and_else_was_interrupted(
    outputs: Any, report: Path
) -> None:
    run = outputs.run(status="running", done=2)
    run_id = run.name[-10:]
    assert read(outputs, report).runs[run_id].status == "interrupted"
    locks = outputs.path / "runs" / ".locks"
    locks.mkdir()
    owner = {"host": os.uname().nodename, "pid": os.getpid(), "heartbeat": time.time()}
    (locks / run_id).write_text(json.dumps(owner))
    assert read(outputs, report).runs[run_id].status == "running"


def test_what_cannot_be_read_is_left_out_with_the_reason(outputs: Any, report: Path) -> None:
    good, bad = outputs.run(seed=0), outputs.run(seed=1)
    (bad / "run.json").write_text("{")
    loaded = read(outputs, report)
    assert list(loaded.runs) == [good.name[-10:]]
    assert loaded.left_out == [Skipped(str(bad), "run.json is damaged: it is no JSON")]


def test_of_copies_the_completed_one_counts_and_the_other_is_told(
    outputs: Any, report: Path, tmp_path: Path
) -> None:
    whole = outputs.run(val=0.5)
    copy = tmp_path / "copied"
    shutil.copytree(whole, copy)
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**record, "status": "interrupted"}))
    for paths in ([whole, copy], [copy, whole]):
        loaded = load(find_inputs(paths), report)
        assert [run.folder for run in loaded.runs.values()] == [whole]
        assert loaded.left_out == [Skipped(str(copy), f"is the same run as {whole}")]
        assert len(loaded.history) == 3


def test_an_unchanged_run_is_not_parsed_twice(
    outputs: Any, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [outputs.run(seed=s, val=0.1 * (s + 1)) for s in range(3)]
    before = read(outputs, report)
    parsed: list[Path] = []
    real = read_record
    monkeypatch.setattr(loading, "read_record", lambda f: parsed.append(f) or real(f))
    again = read(outputs, report)
    assert parsed == []
    pd.testing.assert_frame_equal(again.history, before.history)
    assert run_frame(again).equals(run_frame(before))
    text = (folders[1] / "metrics.csv").read_text()
    (folders[1] / "metrics.csv").write_text(text.replace("0.2\n", "0.3\n") + "torn")
    added = outputs.run(seed=9)
    third = read(outputs, report)
    assert set(parsed) == {folders[1], added}
    assert [entry.reason for entry in third.left_out] == [
        "without the torn last line of metrics.csv"
    ]
    parsed.clear()
    assert read(outputs, report).left_out == third.left_out
    assert parsed == []


@pytest.mark.parametrize("damage", ["deleted", "torn", "empty", "other format", "folder"])
def test_the_cache_can_be_lost_at_any_time(outputs: Any, report: Path, damage: str) -> None:
    outputs.run(seed=0)
    before = read(outputs, report)
    path = report / NAME
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other format":
        content = np.frombuffer(b'{"format": 0, "entries": {}}', np.uint8)
        np.savez(report / "x.npz", content=content, values=np.zeros(1))
        os.replace(report / "x.npz", path)
    else:
        path.unlink()
        if damage == "folder":
            path.mkdir()
    pd.testing.assert_frame_equal(read(outputs, report).history, before.history)


def test_a_run_frame_has_figures_settings_and_reasons(outputs: Any, report: Path) -> None:
    outputs.run(val=0.4, test=0.35, run_id="0123456789", model__width=16, model__scales=[0.5, 1])
    outputs.run(status="failed", run_id="12e4567890", error="boom", val=None, done=0)
    outputs.run(status="interrupted", run_id="5555555555", model___target_="torch.Net")
    frame = run_frame(read(outputs, report))
    row = frame.loc["0123456789"]
    assert (row["val_accuracy"], row["test_accuracy"], row["epochs_done"]) == (0.4, 0.35, 3)
    assert (row["model.width"], row["model.scales"]) == ("16", "[0.5, 1]")
    assert frame.loc["12e4567890", "reason"] == "ValueError: boom"
    assert np.isnan(frame.loc["12e4567890", "val_accuracy"])
    assert frame.loc["5555555555", "reason"] == "asked to stop, position saved"
    assert frame.loc["5555555555", "model.name"] == "torch.Net"
    assert "seed" not in settings_columns(frame)
    assert "trainer.epochs" in settings_columns(frame)


def test_with_evaluate_best_the_figures_are_those_of_the_best_epoch(
    outputs: Any, report: Path
) -> None:
    folder = outputs.run(val=0.4, trainer__evaluate="best")
    record = json.loads((folder / "run.json").read_text())
    record["best"]["val_accuracy"] = 0.45
    (folder / "run.json").write_text(json.dumps(record))
    assert run_frame(read(outputs, report))["val_accuracy"].tolist() == [0.45]


def test_without_any_run_the_frame_is_empty_and_has_its_columns(outputs: Any, report: Path) -> None:
    bad = outputs.run()
    (bad / "run.json").unlink()
    frame = run_frame(read(outputs, report))
    assert len(frame) == 0
    assert {"status", "val_accuracy", "fingerprint", "reason"} <= set(frame.columns)
