"""A search as a journal that Optuna reads."""

import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from cifar_exp.sweeps.search.journal import main
from cifar_exp.sweeps.search.space import Dimension, Space

SPACE = Space(
    (
        Dimension("optimizer", "choice", choices=("sgd", "adam")),
        Dimension("optimizer.lr", "float", 1e-3, 1.0, is_log=True, when=("optimizer", "sgd")),
        Dimension("model.width", "int", 4, 64),
    )
)


def call(monkeypatch: pytest.MonkeyPatch, *words: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["journal", *map(str, words)])
    return main()


def write_yaml(source: Any, space: Space, **search: Any) -> None:
    content = {"name": "searched", "search": {"space": space.as_dict(), **search}}
    (source.folder.path / "sweep.yaml").write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("objective", ["accuracy", "accuracy_and_pflop"])
def test_a_study_is_loaded_back_with_every_run_as_it_is(
    lab: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    objective: str,
) -> None:
    source = lab.source(SPACE, runs=5)
    write_yaml(source, SPACE, objective=objective)
    whole, paused, diverged, begun, _ = ids = lab.propose(source, 5)
    lab.end(whole, 0.5, pflop=2.0, finished_at="2026-11-01T01:00:00+00:00")
    lab.end(paused, 0.4, status="pruned")
    lab.end(diverged, None, status="diverged")
    lab.end(begun, None, status="running")
    curve = "epoch,val_loss,val_accuracy\n1,2.0,0.3\n2,1.0,0.5\n"
    (lab.outputs / "runs" / f"tiny-{whole}" / "metrics.csv").write_text(curve)
    path = tmp_path / "search.journal"
    assert call(monkeypatch, source.folder.path, path) == 0
    assert capsys.readouterr().out == f"journal  {path}: 5 trials\n"

    study = optuna.load_study(
        study_name="searched", storage=JournalStorage(JournalFileBackend(str(path)))
    )
    trials = study.trials
    states = ["COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING"]
    assert [trial.state.name for trial in trials] == states
    assert [trial.user_attrs["run_id"] for trial in trials] == ids
    expected = [0.5, 2.0] if objective == "accuracy_and_pflop" else [0.5]
    assert trials[0].values == expected
    assert trials[0].intermediate_values == {1: 0.3, 2: 0.5}
    assert trials[0].duration.total_seconds() == 3600
    for trial, run_id in zip(trials, ids, strict=True):
        named = {k.partition(" ")[0]: value for k, value in trial.params.items()}
        assert named == {k: v for k, v in lab.made[run_id].items() if k in named}

    assert call(monkeypatch, source.folder.path, path) == 2
    assert f"{path}: exists already; give a new file" in capsys.readouterr().err


def test_a_folder_without_a_search_is_refused(
    lab: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = lab.source(SPACE).folder.path
    for content in ("", "name: grid", "search: {space: [{width: 3}]}"):
        (folder / "sweep.yaml").write_text(content)
        assert call(monkeypatch, folder, tmp_path / "journal") == 2
        assert f"{folder}: is not the folder of a search" in capsys.readouterr().err
    assert not (tmp_path / "journal").exists()
