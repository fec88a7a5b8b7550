"""What a path stands for."""

import os
from pathlib import Path

import pytest

from cifar_exp.storage.layout import (
    Place,
    find_place,
    is_folder,
    real_path,
    real_paths,
    sweep_folders,
)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """An outputs folder with a run, a sweep and a report."""
    outputs = tmp_path / "outputs"
    for name in ("runs/tiny-0123456789", "sweeps/mine", "sweeps/other", "report"):
        (outputs / name).mkdir(parents=True)
    (outputs / "sweeps" / "mine" / "runs.csv").write_text("run_id,folder,status\n")
    (outputs / "sweeps" / "mine" / "sweep.yaml").write_text("name: mine\n")
    (outputs / "report" / "runs.csv").write_text("run_id,label\n")
    return outputs


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "outputs"),
        ("runs", "runs"),
        ("sweeps", "sweeps"),
        ("sweeps/mine", "sweep"),
        ("runs/tiny-0123456789", "run"),
        ("report", None),
        ("sweeps/other", None),
        ("absent", None),
        ("sweeps/mine/runs.csv", None),
    ],
)
def test_a_folder_is_known_by_its_name_and_files(
    outputs: Path, name: str, kind: str | None
) -> None:
    place = find_place(outputs / name)
    assert (place and place.kind) == kind
    if place is not None:
        assert real_path(place.outputs) == outputs


def test_links_and_relative_paths_stand_for_what_they_point_to(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outputs / "latest").symlink_to("sweeps/mine")
    assert find_place(outputs / "latest") == Place("sweep", outputs / "latest", outputs)
    monkeypatch.chdir(outputs / "runs")
    place = find_place(Path("."))
    assert place is not None
    assert (place.kind, place.outputs) == ("runs", outputs)
    monkeypatch.chdir(outputs.parent)
    assert find_place(Path("outputs/runs")) == Place("runs", Path("outputs/runs"), Path("outputs"))


def test_a_copied_run_is_known_by_its_record(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    assert find_place(tmp_path) == Place("run", tmp_path, tmp_path.parent)


def test_only_folders_with_both_files_are_sweeps(outputs: Path) -> None:
    (outputs / "sweeps" / "other" / "runs.csv").write_text("run_id\n")
    assert sweep_folders(outputs) == [outputs / "sweeps" / "mine"]


@pytest.mark.parametrize("name", ["x" * 5000, "loop", "a\0b"])
def test_a_path_that_cannot_be_a_folder_is_none(tmp_path: Path, name: str) -> None:
    os.symlink("loop", tmp_path / "loop")
    assert not is_folder(tmp_path / name)
    assert find_place(tmp_path / name) is None


def test_real_paths_of_many_are_the_real_path_of_each(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outputs / "latest").symlink_to("sweeps/mine")
    (outputs / "again").symlink_to("runs")
    (outputs / "loop").symlink_to("loop")
    monkeypatch.chdir(outputs / "sweeps")
    names = ["runs/tiny-0123456789", "again/tiny-0123456789", "runs/../latest", "runs/.."]
    names += ["latest", "loop", "absent/x", ".", "again/absent"]
    paths = [*(outputs / name for name in names), *map(Path, ("mine", "../latest", "..", "."))]
    assert real_paths(paths) == [str(real_path(path)) for path in paths]
