import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cifar_exp.runs.pruning import siblings as module
from cifar_exp.runs.pruning.siblings import SweepSiblings
from cifar_exp.storage.metrics import read_val_accuracies
from cifar_exp.storage.record import RunRecord

IDS = [f"{number:010x}" for number in range(9)]
A, B, C, D, *_ = IDS
Write = Callable[..., Path]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    (tmp_path / "sweeps" / "widths").mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    return tmp_path


@pytest.fixture
def list_runs(outputs: Path) -> Callable[..., SweepSiblings]:
    """Writes the runs.csv of a sweep from the values of its runs."""

    def write(values: Mapping[str, Mapping[str, str]]) -> SweepSiblings:
        keys = list(dict.fromkeys(key for each in values.values() for key in each))
        lines = [",".join(["run_id", "folder", "status", *keys])]
        lines += [",".join([i, "", "", *(v.get(k, "") for k in keys)]) for i, v in values.items()]
        path = outputs / "sweeps" / "widths"
        (path / "runs.csv").write_text("\n".join(lines) + "\n")
        return SweepSiblings(path)

    return write


@pytest.fixture
def write_curve(outputs: Path) -> Write:
    """Replaces a run's metrics.csv by one with these accuracies."""

    def write(run_id: str, *accuracies: object) -> Path:
        folder = outputs / "runs" / f"tiny-{run_id}"
        folder.mkdir(exist_ok=True)
        rows = [f"{i},0.5,{accuracy}\n" for i, accuracy in enumerate(accuracies, 1)]
        new = folder / "new"
        new.write_text("epoch,lr,val_accuracy\n" + "".join(rows))
        os.replace(new, folder / "metrics.csv")
        return folder

    return write


def widths(*values: str) -> dict[str, dict[str, str]]:
    return {run_id: {"model.width": v} for run_id, v in zip(IDS, values, strict=False)}


def test_siblings_are_those_that_have_reached_the_epoch(
    list_runs: Callable, write_curve: Write
) -> None:
    siblings = list_runs(widths("4", "8", "16", "32"))
    write_curve(A, 0.1, 0.3)
    write_curve(B, 0.2)
    write_curve(C, 0.4, 0.2, 0.6)
    assert siblings.at(A, 1, is_best=False) == {A: 0.1, B: 0.2, C: 0.4}
    assert siblings.at(A, 2, is_best=False) == {A: 0.3, C: 0.2}
    assert siblings.at(A, 2, is_best=True) == {A: 0.3, C: 0.4}
    assert siblings.at(B, 2, is_best=False) == {}
    assert siblings.at(D, 1, is_best=False) == {}


def test_what_runs_add_is_seen_and_what_is_known_is_not_read_again(
    list_runs: Callable, write_curve: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    siblings = list_runs(widths("4", "8"))
    write_curve(A, 0.1)
    write_curve(B, 0.2)
    siblings.at(A, 1, is_best=False)
    read: list[str] = []

    def read_and_note(folder: Path) -> list[float]:
        read.append(folder.name)
        return read_val_accuracies(folder)

    monkeypatch.setattr(module, "read_val_accuracies", read_and_note)
    assert siblings.at(A, 1, is_best=False) == {A: 0.1, B: 0.2}
    assert siblings.at(A, 2, is_best=False) == {}
    assert read == []
    write_curve(A, 0.1, 0.3)
    assert siblings.at(A, 2, is_best=False) == {A: 0.3}
    assert read == [f"tiny-{A}"]


def test_runs_that_a_search_adds_are_seen(list_runs: Callable, write_curve: Write) -> None:
    siblings = list_runs(widths("4"))
    write_curve(A, 0.1)
    assert siblings.at(A, 1, is_best=False) == {A: 0.1}
    assert siblings.first_seed(B) is None
    list_runs(widths("4", "8"))
    write_curve(B, 0.2)
    assert siblings.first_seed(B) == B
    assert siblings.at(A, 1, is_best=False) == {A: 0.1, B: 0.2}


def test_only_the_first_seed_of_a_configuration_decides(
    list_runs: Callable, write_curve: Write
) -> None:
    values = [("4", "7"), ("8", "7"), ("4", "1"), ("16", "1")]
    listed = {
        i: {"model.width": width, "seed": seed}
        for i, (width, seed) in zip(IDS, values, strict=False)
    }
    siblings = list_runs(listed)
    for run_id in IDS[:4]:
        write_curve(run_id, 0.5)
    assert [siblings.first_seed(run_id) for run_id in IDS[:5]] == [A, B, A, D, None]
    assert set(siblings.at(A, 1, is_best=False)) == {A, B, D}


def test_runs_of_other_lengths_are_no_siblings(list_runs: Callable, write_curve: Write) -> None:
    siblings = list_runs({A: {"trainer.epochs": "3"}, B: {"trainer.epochs": "9"}})
    write_curve(A, 0.1)
    write_curve(B, 0.2)
    assert siblings.at(A, 1, is_best=False) == {A: 0.1}


def test_the_length_that_an_experiment_sets_is_read_from_the_record(
    list_runs: Callable, write_curve: Write, make_record: Callable[..., RunRecord]
) -> None:
    experiments = zip(IDS, ["a", "b", "c"], strict=False)
    siblings = list_runs({run_id: {"experiment": name} for run_id, name in experiments})
    for run_id, epochs in ((A, 3), (B, 9), (C, 3)):
        make_record("running", run_id=run_id, epochs=epochs).save(write_curve(run_id, 0.1))
    assert set(siblings.at(A, 1, is_best=False)) == {A, C}


@pytest.mark.parametrize("accuracies", [("",), ("nan",), ("x", 0.5)])
def test_an_accuracy_that_is_none_does_not_count(
    list_runs: Callable, write_curve: Write, accuracies: tuple[object, ...]
) -> None:
    siblings = list_runs(widths("4", "8"))
    write_curve(A, 0.1)
    write_curve(B, *accuracies)
    assert siblings.at(A, 1, is_best=False) == {A: 0.1}


def test_without_a_sweep_no_run_decides(outputs: Path) -> None:
    siblings = SweepSiblings(outputs / "sweeps" / "gone")
    assert siblings.first_seed(A) is None
    assert siblings.at(A, 1, is_best=False) == {}
