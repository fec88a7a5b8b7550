import csv
import inspect
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cifar_exp.data.device_splits import Split
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.runs.execute import execute
from cifar_exp.runs.recorder import Recorder
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.training import evaluation, trainer
from cifar_exp.training.evaluation import Evaluation

pytestmark = pytest.mark.slow  # trains whole runs

Make = Callable[..., RunSpec]


def rows(folder: Path, name: str = "metrics.csv") -> list[dict[str, str]]:
    with (folder / name).open() as stream:
        return list(csv.DictReader(stream))


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def test_a_completed_run_is_returned_and_not_trained_again(
    make_spec: Make, capsys: pytest.CaptureFixture
) -> None:
    first = execute(make_spec())
    before = (first.folder / "run.json").stat().st_mtime_ns
    again = execute(make_spec("trainer.progress=plain", label="other"))
    assert again.folder == first.folder
    assert again.record.metric == first.record.metric
    assert (first.folder / "run.json").stat().st_mtime_ns == before
    assert "rerun=true trains it again" in capsys.readouterr().out


def test_a_run_made_by_another_commit_says_so(
    make_spec: Make, capsys: pytest.CaptureFixture
) -> None:
    folder = execute(make_spec()).folder
    found = record(folder)
    found["environment"]["git_commit"] = "f" * 40
    (folder / "run.json").write_text(json.dumps(found))
    execute(make_spec("trainer.progress=plain"))
    printed = capsys.readouterr().out
    assert f"completed on {found['finished_at']} by another commit (ffffffffff)" in printed


def test_a_rerun_takes_the_place_of_the_run_when_it_is_complete(make_spec: Make) -> None:
    first = execute(make_spec())
    (first.folder / "train.log").write_text("of the first")
    again = execute(make_spec("rerun=true"))
    assert again.folder == first.folder
    assert "of the first" not in (first.folder / "train.log").read_text()
    assert [p.name for p in first.folder.parent.iterdir() if p.name[0] != "."] == [
        first.folder.name
    ]


def test_without_val_test_is_used_and_labelled(
    make_spec: Make, capsys: pytest.CaptureFixture
) -> None:
    done = execute(make_spec("data.val_fraction=0", "trainer.progress=plain"))
    assert all(row["val_loss"] == row["val_accuracy"] == "" for row in rows(done.folder))
    assert done.record.test is not None
    assert done.record.metric == done.record.test.accuracy
    assert done.record.final is not None
    assert done.record.final.val_accuracy is None
    assert "not for choosing" in capsys.readouterr().out
    files = {path.name for path in (done.folder / "checkpoints").iterdir()}
    assert files == {"last.pt", "best.pt"}


@pytest.fixture
def val_is_wrong_from_epoch_3_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """All guesses on validation images are wrong later on: the last epoch is not the best one."""
    real, vals = evaluation.evaluate, list[torch.Tensor]()

    def evaluate(network: torch.nn.Module, split: Split, *arguments: Any) -> Evaluation:
        result = real(network, split, *arguments)
        if not torch.equal(split.labels, vals[0] if vals else split.labels):
            return result  # not the validation images, which are looked at first
        vals.append(split.labels)
        wrong = (result.labels + 1) % 4
        return replace(result, prediction=wrong) if len(vals) > 2 else result

    monkeypatch.setattr(trainer, "evaluate", evaluate)


@pytest.mark.usefixtures("val_is_wrong_from_epoch_3_on")
def test_evaluate_best_tests_the_weights_that_did_best_on_val(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = execute(make_spec("trainer.evaluate=best", "trainer.epochs=4"))
    assert best.record.best is not None
    assert best.record.best.epoch <= 2
    assert best.record.metric == best.record.best.val_accuracy > 0
    monkeypatch.undo()
    last = execute(make_spec("trainer.epochs=4"))
    assert last.record.metric == last.record.final.val_accuracy
    assert last.record.test.loss != best.record.test.loss


@pytest.mark.usefixtures("val_is_wrong_from_epoch_3_on")
def test_the_best_epochs_weights_are_kept_apart_from_the_last(make_spec: Make) -> None:
    folder = execute(make_spec("trainer.epochs=4")).folder / "checkpoints"
    best, last = (
        torch.load(folder / name, weights_only=True)["network"] for name in ("best.pt", "last.pt")
    )
    assert not torch.equal(best["head.1.weight"], last["head.1.weight"])


def test_a_failed_run_is_tried_again_from_its_checkpoint(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = evaluation.evaluate, iter(range(3))

    def fail_later(*arguments: Any) -> object:
        if next(calls, None) is None:
            raise RuntimeError("the roof fell in")
        return real(*arguments)

    monkeypatch.setattr(trainer, "evaluate", fail_later)
    failed = execute(make_spec())
    assert failed.record.status == "failed"
    assert failed.record.error is not None
    assert failed.record.error.message == "the roof fell in"
    assert "the roof fell in" in failed.record.error.traceback
    monkeypatch.undo()
    done = execute(make_spec())
    assert done.record.status == "completed"
    assert [segment.from_epoch for segment in done.record.segments] == [1, 2]
    assert done.record.error is None


def test_rerun_of_a_run_that_is_not_complete_says_that_it_continues(
    make_spec: Make, stop_before_the_test: Callable[..., Path], capsys: pytest.CaptureFixture
) -> None:
    stop_before_the_test("interrupted")
    done = execute(make_spec("rerun=true", "trainer.progress=plain"))
    note = "note     rerun=true: the run is not complete yet, so it continues"
    assert note in capsys.readouterr().out.splitlines()
    assert [segment.from_epoch for segment in done.record.segments] == [1, 4]


def test_the_record_is_read_once_before_the_lock_and_once_under_it(
    make_spec: Make, stop_before_the_test: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stop_before_the_test("interrupted")
    real, read = RunRecord.load.__func__, list[Path]()  # type: ignore[attr-defined]

    def load(cls: type[RunRecord], path: Path) -> RunRecord | None:
        found = real(cls, path)
        if found is not None and "cleanup" not in inspect.stack()[1].filename:
            read.append(path)
        return found

    monkeypatch.setattr(RunRecord, "load", classmethod(load))
    execute(make_spec())
    assert read == [folder] * 2


def test_absent_images_are_reported_before_any_folder_is_made(
    make_spec: Make, tmp_path: Path
) -> None:
    spec = make_spec(f"data.root={tmp_path / 'nowhere'}")
    with pytest.raises(UserError, match=r"^data.root=.*nowhere: there is no folder .*train"):
        execute(spec)
    assert not spec.outputs.exists()


def test_a_resume_with_other_threads_is_allowed_reported_and_recorded(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(Recorder, "test", lambda _: 1 / 0)
    assert execute(make_spec()).record.status == "failed"
    monkeypatch.undo()
    done = execute(make_spec("trainer.threads=2", "trainer.progress=plain"))
    assert "started on cpu with 1 thread: from now on metrics may differ" in capsys.readouterr().out
    assert [segment.threads for segment in done.record.segments] == [1, 2]


def test_a_resume_left_to_auto_keeps_the_threads_it_began_with(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "test", lambda _: 1 / 0)
    execute(make_spec())
    monkeypatch.undo()
    done = execute(make_spec("trainer.threads=auto"))
    assert [segment.threads for segment in done.record.segments] == [1, 1]


def test_a_rerun_left_to_auto_takes_all_cores_whatever_the_first_run_had(
    make_spec: Make,
) -> None:
    execute(make_spec("trainer.epochs=1"))
    again = execute(make_spec("trainer.epochs=1", "trainer.threads=auto", "rerun=true"))
    assert again.record.segments[-1].threads == len(os.sched_getaffinity(0))


def test_a_full_disk_fails_the_run_and_the_same_command_continues_it(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, writes = os.fsync, []

    def full(descriptor: int) -> None:
        writes.append(descriptor)
        if len(writes) > 12:  # in the second epoch
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFailure, match=r"no space is left on the disk of .*: make room"):
        execute(make_spec())
    monkeypatch.undo()
    done = execute(make_spec())
    assert done.record.status == "completed"
    assert len(done.record.segments) == 2
    assert not list(done.folder.rglob(".writing-*"))


def test_a_completed_run_whose_record_was_lost_is_trained_again(make_spec: Make) -> None:
    first = execute(make_spec())
    rows = (first.folder / "extra.csv").read_text()
    (first.folder / "run.json").write_text("")
    again = execute(make_spec())
    assert again.record.status == "completed"
    assert again.folder == first.folder
    assert (again.folder / "extra.csv").read_text() == rows


def test_classes_without_a_training_image_are_named(
    make_spec: Make, capsys: pytest.CaptureFixture
) -> None:
    few = ("data.limit_train=3", "data.val_fraction=0", "trainer.epochs=1")
    execute(make_spec("trainer.progress=plain", *few))
    (note,) = [line for line in capsys.readouterr().out.splitlines() if "no training image" in line]
    names = ["across", "along", "falling", "rising"]
    start = "note     1 of 4 classes have no training image: "
    assert note in [start + name for name in names]
    execute(make_spec("trainer.progress=plain", "trainer.epochs=1"))
    assert "no training image" not in capsys.readouterr().out
