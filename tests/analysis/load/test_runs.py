"""From folders to runs and histories, with and without a cache."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.load import curves
from cifar_exp.analysis.load import runs as loading
from cifar_exp.analysis.load.cache import NAME
from cifar_exp.analysis.load.discover import Skipped, find_inputs
from cifar_exp.analysis.load.frames import exact_text, run_frame, settings_columns
from cifar_exp.analysis.load.runs import LoadedRuns, load_runs
from cifar_exp.storage.lock import lock_run
from cifar_exp.storage.metrics import METRICS_COLUMNS
from cifar_exp.storage.record import RunRecord, read_record


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where the report goes."""
    (tmp_path / "report").mkdir()
    return tmp_path / "report"


def read(outputs: Any, report: Path) -> LoadedRuns:
    loaded = load_runs(find_inputs([outputs.path]), report)
    loaded.save_cache(report)
    return loaded


def test_histories_are_those_of_the_files_joined_by_epoch(outputs: Any, report: Path) -> None:
    folders = {outputs.run(seed=s, epochs=2 + s).name[-10:]: 2 + s for s in range(2)}
    history = read(outputs, report).history
    assert list(history.columns[1 : 1 + len(METRICS_COLUMNS)]) == list(METRICS_COLUMNS)
    for run_id, epochs in folders.items():
        own = history[history["run_id"] == run_id].reset_index(drop=True)
        folder = outputs.path / "runs" / f"tiny-{run_id}"
        expected = pd.read_csv(folder / "metrics.csv").merge(pd.read_csv(folder / "extra.csv"))
        assert len(own) == epochs
        pd.testing.assert_frame_equal(own[expected.columns], expected.astype(float))


def test_histories_are_the_same_whether_read_at_once_or_in_parts(
    outputs: Any, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(5):
        folder = outputs.run(seed=seed, epochs=1 + seed)
    (folder / "metrics.csv").write_text("epoch,val_accuracy\n1,0.25\n2,high\n")
    inputs = find_inputs([outputs.path])
    whole = load_runs(inputs, report)
    monkeypatch.setattr(curves, "AT_ONCE", 2)
    in_parts = load_runs(inputs, report)
    pd.testing.assert_frame_equal(in_parts.history, whole.history)
    assert in_parts.skipped == whole.skipped


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
    assert odd_rows["val_accuracy"].tolist() == [0.5]  # the later of two lines of an epoch
    reasons = {entry.reason for entry in loaded.skipped}
    assert "metrics.csv has cells in val_accuracy that are not numbers" in reasons


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
def test_different_settings_never_have_the_same_text(one: Any, other: Any) -> None:
    assert exact_text(one) != exact_text(other)


@pytest.mark.parametrize(("one", "other"), [(0.1, 1e-1), (16, 16.0), ("sgd", "sgd")])
def test_equal_settings_have_one_text(one: Any, other: Any) -> None:
    assert exact_text(one) == exact_text(other)


def test_odd_settings_and_metrics_do_not_break_the_frame(outputs: Any, report: Path) -> None:
    folder = outputs.run(val=0.5, huge__value=10**400, folder=3, status_="x")
    record = json.loads((folder / "run.json").read_text())
    record["environment"] = {"torch": {"a": 1}, "git_commit": ["b"]}
    record["final"]["val_loss"] = float("inf")
    (folder / "run.json").write_text(json.dumps(record))
    (row,) = run_frame(read(outputs, report)).to_dict("records")
    assert (row["folder"], row["torch"]) == (str(folder), "{'a': 1}")
    assert row["val_loss"] is None or np.isnan(row["val_loss"])
    assert row["huge.value"] == str(10**400)


def test_a_byte_order_mark_does_no_harm_and_a_missing_history_is_reported(
    outputs: Any, report: Path
) -> None:
    marked, bare = outputs.run(seed=0), outputs.run(seed=1)
    text = (marked / "metrics.csv").read_text()
    (marked / "metrics.csv").write_text(text, encoding="utf-8-sig")
    (bare / "metrics.csv").unlink()
    loaded = read(outputs, report)
    assert len(loaded.history) == 3
    skipped = [Skipped(str(bare), "is completed but has no metrics.csv")]
    assert loaded.skipped == skipped
    assert read(outputs, report).skipped == skipped


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (
            "metrics.csv",
            'epoch,val_accuracy\n1,"0.5\n2,0.6\n',
            "metrics.csv has cells in val_accuracy that are not numbers",
        ),
        ("metrics.csv", "epoch,lr,lr\n1,2,3\n", "metrics.csv has a duplicate column"),
        (
            "extra.csv",
            "epoch,run_id\n1,2\n",
            "extra.csv has a duplicate column, or one with a reserved name",
        ),
        (
            "extra.csv",
            "epoch,run\n1,2\n",
            "extra.csv has a duplicate column, or one with a reserved name",
        ),
    ],
)
def test_a_table_that_is_damaged_in_an_odd_way_harms_no_other_run(
    outputs: Any, report: Path, name: str, text: str, reason: str
) -> None:
    odd = outputs.run(seed=0)
    good = outputs.run(seed=1)
    (odd / name).write_text(text)
    loaded = read(outputs, report)
    assert (loaded.history["run_id"] == good.name[-10:]).sum() == 3
    assert any(reason in entry.reason for entry in loaded.skipped)


def test_epochs_that_are_not_whole_numbers_are_ignored(outputs: Any, report: Path) -> None:
    odd = outputs.run()
    (odd / "metrics.csv").write_text(f"epoch,step\n1,1e25\n1.5,3\ninf,4\n2,{10**400}\n")
    history = read(outputs, report).history
    assert history["epoch"].tolist() == [1, 2]
    assert history["step"].isna().all()


def test_a_running_run_without_its_lock_was_interrupted(outputs: Any, report: Path) -> None:
    run = outputs.run(status="running", done=2)
    run_id = run.name[-10:]
    assert read(outputs, report).runs[run_id].status == "interrupted"
    with lock_run(outputs.path / "runs", run_id):
        assert read(outputs, report).runs[run_id].status == "running"


def test_a_run_that_cannot_be_read_is_skipped_with_the_reason(outputs: Any, report: Path) -> None:
    good, bad = outputs.run(seed=0), outputs.run(seed=1)
    (bad / "run.json").write_text("{")
    loaded = read(outputs, report)
    assert list(loaded.runs) == [good.name[-10:]]
    assert loaded.skipped == [Skipped(str(bad), "run.json is damaged: not valid JSON")]


def test_of_two_copies_the_completed_one_counts_and_the_other_is_skipped(
    outputs: Any, report: Path, tmp_path: Path
) -> None:
    whole = outputs.run(val=0.5)
    copy = tmp_path / "copied"
    shutil.copytree(whole, copy)
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**record, "status": "interrupted"}))
    for paths in ([whole, copy], [copy, whole]):
        loaded = load_runs(find_inputs(paths), report)
        assert [run.folder for run in loaded.runs.values()] == [whole]
        assert loaded.skipped == [Skipped(str(copy), f"is the same run as {whole}")]
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
    assert [entry.reason for entry in third.skipped] == [
        "metrics.csv has a torn last line, which is ignored"
    ]
    parsed.clear()
    assert read(outputs, report).skipped == third.skipped
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


def test_a_run_frame_has_metrics_settings_and_reasons(outputs: Any, report: Path) -> None:
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


def test_with_evaluate_best_the_metrics_are_those_of_the_best_epoch(
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


def test_a_run_folder_that_is_a_link_to_itself_is_skipped_with_the_reason(
    outputs: Any, report: Path
) -> None:
    good = outputs.run()
    loop = outputs.path / "runs" / "tiny-0123456789"
    loop.symlink_to(loop.name)
    loaded = read(outputs, report)
    assert list(loaded.runs) == [good.name[-10:]]
    reason = "run.json cannot be read: Too many levels of symbolic links"
    assert loaded.skipped == [Skipped(str(loop), reason)]


def test_each_record_is_validated_once_per_report(
    outputs: Any, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        outputs.run(seed=seed)
    validated: list[Any] = []
    real = RunRecord.model_validate

    def count(content: Any) -> RunRecord:
        validated.append(content)
        return real(content)

    monkeypatch.setattr(RunRecord, "model_validate", count)
    read(outputs, report)
    assert len(validated) == 3
    read(outputs, report)  # from the cache
    assert len(validated) == 6
