"""Networks of a user's own that cannot be trained: the sentence and the exit code."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_exp.train import main

Ended = tuple[int, str, str]
WHOLE = ("trainer.resolution_scales=[]", "trainer.resolution_until=[]")
HEAD = """
import sys
import torch
from torch import nn

class Linear(nn.Sequential):
    def __init__(self, num_classes):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_classes))
"""


@pytest.fixture
def train(
    tmp_path: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., Ended]]:
    """Runs the command on a module with `Net`: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "own.yaml").write_text("_target_: own_network.Net\n")

    def run(source: str, *line: str) -> Ended:
        (tmp_path / "own_network.py").write_text(HEAD + source)
        importlib.invalidate_caches()
        data = ["data=folder", f"data.root={pictures}", "data.image_size=16"]
        small = ["trainer.epochs=1", "trainer.batch_size=32", "trainer.device=cpu"]
        quick = ["data.val_fraction=0.25", "trainer.threads=1", "--config-dir", "mine"]
        monkeypatch.setattr(sys, "argv", ["train", *data, *small, *quick, "model=own", *line])
        code = main()
        return (code, *capsys.readouterr())

    yield run
    sys.modules.pop("own_network", None)


def test_a_module_that_ends_the_program_when_imported_is_a_mistake(
    train: Callable[..., Ended], tmp_path: Path
) -> None:
    sentence = "_target_=own_network.Net: importing own_network raised SystemExit: 3"
    assert train("sys.exit(3)") == (2, "", f"error: model: {sentence}\n")
    assert not (tmp_path / "outputs").exists()


def test_a_network_that_ends_the_program_in_training_fails_its_run(
    train: Callable[..., Ended], tmp_path: Path
) -> None:
    source = """
class Net(Linear):
    def forward(self, images):
        if self.training and torch.is_grad_enabled():
            sys.exit(0)
        return super().forward(images)
"""
    code, out, err = train(source, *WHOLE)
    assert (code, err) == (1, "")
    assert "failed   SystemExit: exit(0) was called during the run\n" in out
    (path,) = tmp_path.glob("outputs/runs/own-*/run.json")
    record = json.loads(path.read_text())
    assert record["status"] == "failed"
    assert record["error"]["type"] == "SystemExit"
