import csv
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cifar_exp.data.device_splits import Split
from cifar_exp.errors import EnvironmentFailure, Interrupted, UserError
from cifar_exp.runs.execute import execute
from cifar_exp.runs.recorder import Recorder
from cifar_exp.runs.spec import RunSpec
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
    assert "rerun=true trains it anew" in capsys.readouterr().out


def test_a_run_made_by_another_commit_says_so(
    make_spec: Make, capsys: pytest.CaptureFixture
) -> None:
    folder = execute(make_spec()).folder
    found = record(folder)
    found["environment"]["git_commit"] = "f" * 40
    (folder / "run.json").write_text(json.dumps(found))
    execute(make_spec("trainer.progress=plain"))
    told = capsys.readouterr().out
    assert f"completed on {found['finished_at']} by another commit (ffffffffff)" in told


def test_a_rerun_takes_the_place_of_the_run_when_it_is_complete(make_spec: Make) -> None:
    first = execute(make_spec())
    (first.folder / "train.log").write_text("of the first")
    again = execute(make_spec("rerun=true"))
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
    make_spec: Make, keep: str, files: set[str], has_optimizer: bool
) -> None:
    folder = execute(make_spec(f"keep={keep}")).folder / "checkpoints"
    assert {path.name for path in folder.iterdir()} == files
    state = torch.load(folder / "last.pt", weights_only=True)
    assert ("trainer" in state) is has_optimizer


def test_keep_none_leaves_no_checkpoint(make_spec: Make) -> None:
    folder = execute(make_spec("keep=none")).folder
    assert list((folder / "checkpoints").iterdir()) == []


def test_normalisation_and_class_names_travel_with_the_weights(make_spec: Make) -> None:
    spec = make_spec()
    folder = execute(spec).folder
    state = torch.load(folder / "checkpoints" / "best.pt", weights_only=True)
    assert state["class_names"] == ["across", "along", "falling", "rising"]
    assert all(0.4 < value < 0.6 for value in state["normalization"]["mean"])
    assert state["run_id"] == record(folder)["run_id"]


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


def test_init_from_starts_from_another_runs_weights(make_spec: Make) -> None:
    first = execute(make_spec())
    run = first.record.run_id
    frozen = ("optimizer.lr=1e-12", "trainer.epochs=1", "model.dropout=0")
    by_id = execute(make_spec(f"init_from='{run}'", *frozen))
    expected = torch.load(first.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    found = torch.load(by_id.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    torch.testing.assert_close(found["head.1.weight"], expected["head.1.weight"])
    assert by_id.record.run_id != run
    by_folder = execute(make_spec(f"init_from='{first.folder}'", *frozen))
    assert by_folder.folder == by_id.folder


def test_init_from_a_run_that_is_not_there_is_the_users_mistake(make_spec: Make) -> None:
    spec = make_spec("init_from='0123456789'")
    with pytest.raises(UserError, match=r"^init_from=0123456789: there is no such run in "):
        execute(spec)
    assert not spec.runs.exists()


def test_weights_that_do_not_fit_are_told(make_spec: Make) -> None:
    run = execute(make_spec()).record.run_id
    with pytest.raises(UserError, match=f"^init_from={run}: its weights do not fit this model"):
        execute(make_spec(f"init_from='{run}'", "model.width=8"))


def test_absent_images_are_told_before_any_folder_is_made(make_spec: Make, tmp_path: Path) -> None:
    spec = make_spec(f"data.root={tmp_path / 'nowhere'}")
    with pytest.raises(UserError, match=r"^data.root=.*nowhere: there is no folder .*train"):
        execute(spec)
    assert not spec.outputs.exists()


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


def test_a_resume_with_other_threads_is_allowed_said_and_recorded(
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


def test_a_full_disk_fails_the_run_and_the_same_command_goes_on(
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


def test_a_completed_run_whose_record_was_lost_is_trained_anew(make_spec: Make) -> None:
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


def truncate(path: Path) -> None:
    os.truncate(path, 5000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def flip_bits(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 99] = bytes(255 - byte for byte in content[middle : middle + 99])
    path.write_bytes(content)


def replace_by_a_tensor(path: Path) -> None:
    torch.save(torch.zeros(3), path)


@pytest.fixture
def stop_before_the_test(make_spec: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Trains a run that then fails or is interrupted, and gives its folder."""

    def stopped(status: str, *overrides: str) -> Path:
        def stop(_: Recorder) -> None:
            if status == "failed":
                raise RuntimeError("the roof fell in")
            os.kill(os.getpid(), signal.SIGTERM)

        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "test", stop)
            spec = make_spec(*overrides)
            with suppress(Interrupted):
                execute(spec)
        folders = [path for path in spec.runs.iterdir() if path.name != ".locks"]
        (folder,) = (path for path in folders if record(path)["test"] is None)
        assert record(folder)["status"] == status
        return folder

    return stopped


@pytest.mark.parametrize("status", ["failed", "interrupted"])
@pytest.mark.parametrize("damage", [truncate, empty, overwrite, flip_bits, replace_by_a_tensor])
def test_a_damaged_checkpoint_is_named_and_rerun_trains_from_the_beginning(
    make_spec: Make,
    stop_before_the_test: Callable[..., Path],
    status: str,
    damage: Callable[[Path], None],
) -> None:
    folder = stop_before_the_test(status)
    before, figures = record(folder), rows(folder, "extra.csv")
    last = folder / "checkpoints" / "last.pt"
    damage(last)
    for _ in range(2):
        failed = execute(make_spec())
        assert failed.record.status == "failed"
        message = failed.record.error.message
        assert message.startswith(f"{last} ")
        assert message.endswith(
            "; the run's other files are kept: rerun=true trains it from the beginning"
        )
        assert len(message.splitlines()) == 1
        for part in ("best", "final", "compute"):
            assert record(folder)[part] == before[part]
        assert rows(folder, "extra.csv") == figures
    done = execute(make_spec("rerun=true"))
    assert done.record.status == "completed"
    assert done.folder == folder
    assert rows(folder, "extra.csv") == figures
    assert done.record.segments[-1].from_epoch == 1


def test_damaged_best_weights_that_test_would_read_are_named_before_training_goes_on(
    make_spec: Make, stop_before_the_test: Callable[..., Path]
) -> None:
    folder = stop_before_the_test("failed", "trainer.evaluate=best")
    best = folder / "checkpoints" / "best.pt"
    truncate(best)
    failed = execute(make_spec("trainer.evaluate=best"))
    assert failed.record.error.message.startswith(f"{best} cannot be read (")
    assert execute(make_spec("trainer.evaluate=best", "rerun=true")).record.test is not None


def test_a_damaged_checkpoint_of_a_rerun_does_not_hold_up_the_next_one(
    make_spec: Make, stop_before_the_test: Callable[..., Path]
) -> None:
    first = execute(make_spec())
    folder = stop_before_the_test("interrupted", "rerun=true")
    assert folder == first.folder.with_name(f"{first.folder.name}.rerun")
    empty(folder / "checkpoints" / "last.pt")
    again = execute(make_spec("rerun=true"))
    assert again.folder == first.folder
    assert again.record.test == first.record.test
    assert not folder.exists()


def test_init_from_a_run_whose_weights_are_damaged_is_told(make_spec: Make) -> None:
    first = execute(make_spec())
    last = first.folder / "checkpoints" / "last.pt"
    truncate(last)
    run = first.record.run_id
    with pytest.raises(UserError, match=rf"^init_from={run}: {last} cannot be read \("):
        execute(make_spec(f"init_from='{run}'"))
