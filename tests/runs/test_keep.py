import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec

pytestmark = pytest.mark.slow  # trains whole runs

Make = Callable[..., RunSpec]


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


@pytest.mark.parametrize(
    ("keep", "files", "has_optimizer"),
    [("weights", {"last.pt", "best.pt"}, False), ("all", {"last.pt", "best.pt"}, True)],
)
def test_keep_decides_which_checkpoints_remain(
    make_spec: Make, keep: str, files: set[str], has_optimizer: bool
) -> None:
    folder = execute(make_spec(f"keep={keep}")).folder / "checkpoints"
    assert {path.name for path in folder.iterdir()} == files
    state = torch.load(folder / "last.pt", weights_only=True)
    assert ("trainer" in state) is has_optimizer


def test_keep_none_leaves_no_checkpoint(make_spec: Make) -> None:
    folder = execute(make_spec("keep=none")).folder
    assert list((folder / "checkpoints").iterdir()) == []


def test_normalization_and_class_names_travel_with_the_weights(make_spec: Make) -> None:
    spec = make_spec()
    folder = execute(spec).folder
    state = torch.load(folder / "checkpoints" / "best.pt", weights_only=True)
    assert state["class_names"] == ["across", "along", "falling", "rising"]
    assert all(0.4 < value < 0.6 for value in state["normalisation"]["mean"])
    assert state["run_id"] == record(folder)["run_id"]


def test_keep_none_of_a_completed_run_says_where_its_checkpoints_are(
    make_spec: Make, capsys: pytest.CaptureFixture
) -> None:
    folder = execute(make_spec()).folder / "checkpoints"
    again = ("trainer.progress=plain", "keep=none")
    execute(make_spec(*again))
    note = (
        "note     keep=none removes no checkpoints of a run that is complete already; they are in "
    )
    assert note + str(folder) in capsys.readouterr().out.splitlines()
    assert {path.name for path in folder.iterdir()} == {"last.pt", "best.pt"}
    shutil.rmtree(folder)
    execute(make_spec(*again))
    assert "keep=none" not in capsys.readouterr().out
