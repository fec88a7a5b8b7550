import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.lock import lock_run
from cifar_exp.storage.record import RunRecord, Status
from cifar_exp.storage.run_folder import find_run, replaced_path, rerun_path

RUN = "0123456789"

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(make_record: Callable[..., RunRecord]) -> MakeRun:
    """A folder with a record and, instead of metrics, a text."""

    def make(path: Path, text: str, status: Status = "completed", **params: object) -> Path:
        (path / "checkpoints").mkdir(parents=True)
        make_record(status, run_id=RUN, **params).save(path)
        (path / "metrics.csv").write_text(text)
        return path

    return make


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".locks")


@pytest.mark.parametrize("status", ["completed", "diverged"])
def test_a_finished_rerun_takes_the_place_of_its_run(
    tmp_path: Path, make_run: MakeRun, status: Status
) -> None:
    path = make_run(tmp_path / f"base-{RUN}", "old")
    make_run(rerun_path(path), "new", status)
    assert find_run(tmp_path, RUN) == path  # the rerun beside it is not a second run
    assert settle(tmp_path, RUN)
    assert (path / "metrics.csv").read_text() == "new"
    assert names(tmp_path) == [path.name]
    assert not settle(tmp_path, RUN)


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_an_unfinished_rerun_stays_beside_its_run(
    tmp_path: Path, make_run: MakeRun, status: Status
) -> None:
    path = make_run(tmp_path / f"base-{RUN}", "old")
    make_run(rerun_path(path), "new", status)
    assert not settle(tmp_path, RUN)
    assert names(tmp_path) == [path.name, rerun_path(path).name]


@pytest.mark.parametrize("renames", [1, 2])
def test_an_interrupted_replacement_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_run: MakeRun, renames: int
) -> None:
    path = make_run(tmp_path / f"base-{RUN}", "old")
    make_run(rerun_path(path), "new")
    real, left = os.replace, iter(range(renames))

    def cut(source: Path, target: Path) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", cut)
    monkeypatch.setattr("shutil.rmtree", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        settle(tmp_path, RUN)
    monkeypatch.undo()
    assert settle(tmp_path, RUN)
    assert find_run(tmp_path, RUN) == path
    assert (path / "metrics.csv").read_text() == "new"
    assert names(tmp_path) == [path.name]


def test_the_run_is_put_back_if_its_rerun_was_removed_by_hand(
    tmp_path: Path, make_run: MakeRun
) -> None:
    path = tmp_path / f"base-{RUN}"
    make_run(replaced_path(path), "old")
    assert not settle(tmp_path, RUN)
    assert (path / "metrics.csv").read_text() == "old"
    assert names(tmp_path) == [path.name]


def test_a_run_that_another_process_holds_is_left_alone(tmp_path: Path, make_run: MakeRun) -> None:
    path = tmp_path / f"base-{RUN}"
    make_run(replaced_path(path), "old")
    make_run(rerun_path(path), "new")
    with lock_run(tmp_path, RUN):
        assert not settle(tmp_path, RUN)
    assert names(tmp_path) == [replaced_path(path).name, rerun_path(path).name]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        ("weights", {"last.pt": "weights", "best.pt": "best"}),
        ("none", {}),
    ],
)
def test_a_completed_runs_checkpoints_are_reduced(
    tmp_path: Path, make_run: MakeRun, keep: str, left: dict[str, str]
) -> None:
    path = make_run(tmp_path / f"base-{RUN}", "", keep=keep)
    folder = path / "checkpoints"
    written = {".writing-last.pt": "weights", "last.pt": "all", "best.pt": "best"}
    for name, text in {**written, ".writing-last.pt-x": "a part"}.items():
        (folder / name).write_text(text)
    assert not settle(tmp_path, RUN)
    assert {file.name: file.read_text() for file in folder.iterdir()} == left


def test_files_of_an_interrupted_run_are_left_to_the_process_that_resumes_it(
    tmp_path: Path, make_run: MakeRun
) -> None:
    path = make_run(tmp_path / f"base-{RUN}", "", "interrupted", keep="none")
    (path / "checkpoints" / "last.pt").write_text("all")
    (path / "checkpoints" / ".writing-last.pt").write_text("weights")
    assert not settle(tmp_path, RUN)
    assert names(path / "checkpoints") == [".writing-last.pt", "last.pt"]
