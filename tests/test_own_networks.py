"""Networks of a user's own that cannot be trained: the sentence and the exit code."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_exp.train import main

WorkerResult = tuple[int, str, str]
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
) -> Iterator[Callable[..., WorkerResult]]:
    """Runs the command on a module with `Net`: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "own.yaml").write_text("_target_: own_network.Net\n")

    def run(source: str, *line: str) -> WorkerResult:
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
    train: Callable[..., WorkerResult], tmp_path: Path
) -> None:
    sentence = "_target_=own_network.Net: importing own_network raised SystemExit: 3"
    assert train("sys.exit(3)") == (2, "", f"error: model: {sentence}\n")
    assert not (tmp_path / "outputs").exists()


def test_a_network_that_ends_the_program_in_training_fails_its_run(
    train: Callable[..., WorkerResult], tmp_path: Path
) -> None:
    source = """
class Net(Linear):
    def forward(self, images):
        if self.training:
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


FAULTS = {
    "a constructor that lacks something": (
        "class Net(nn.Module):\n    def __init__(self):\n        {}['width']\n",
        "_target_=own_network.Net raised KeyError: 'width'",
    ),
    "a constructor that ends the program": (
        "class Net(nn.Module):\n    def __init__(self):\n        sys.exit(0)\n",
        "_target_=own_network.Net raised SystemExit: 0",
    ),
    "layers before super().__init__()": (
        "class Net(nn.Module):\n    def __init__(self):\n        self.f = nn.Flatten()\n",
        "_target_=own_network.Net raised AttributeError: cannot assign module before "
        "Module.__init__() call",
    ),
    "no super().__init__()": (
        "class Net(nn.Module):\n    def __init__(self):\n        self.width = 3\n",
        "Net.__init__ does not call super().__init__()",
    ),
    "a forward with another argument": (
        "class Net(Linear):\n    def forward(self, images, labels):\n        pass\n",
        "the network cannot take images of 16 x 16: TypeError: Net.forward() missing 1 required "
        "positional argument: 'labels'",
    ),
    "a forward that ends the program": (
        "class Net(Linear):\n    def forward(self, images):\n        sys.exit(3)\n",
        "the network cannot take images of 16 x 16: SystemExit: 3",
    ),
    "a tuple": (
        "class Net(Linear):\n    def forward(self, images):\n        return (images, images)\n",
        "the network returns a tuple, not a tensor of scores (N, classes)",
    ),
    "an ordered dictionary": (
        "from collections import OrderedDict\n"
        "class Net(Linear):\n    def forward(self, images):\n        return OrderedDict()\n",
        "the network returns an OrderedDict, not a tensor of scores (N, classes)",
    ),
    "a fixed size": (
        "class Net(Linear):\n    def forward(self, images):\n"
        "        assert images.shape[-1] == 16, 'only 16'\n"
        "        return super().forward(images)\n",
        "the network cannot take images of 8 x 8: AssertionError: only 16; "
        "trainer.resolution_scales=[] trainer.resolution_until=[] shows it only 16 x 16 images",
    ),
}


@pytest.mark.parametrize(("source", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_network_that_cannot_be_trained_is_a_mistake_of_one_sentence(
    train: Callable[..., WorkerResult], tmp_path: Path, source: str, sentence: str
) -> None:
    scales = ("trainer.resolution_scales=[0.5]", "trainer.resolution_until=[0.5]")
    assert train(source, *scales) == (2, "", f"error: model: {sentence}\n")
    assert not (tmp_path / "outputs").exists()


def test_a_network_of_a_fixed_size_is_trained_where_the_sentence_led(
    train: Callable[..., WorkerResult], tmp_path: Path
) -> None:
    source, _ = FAULTS["a fixed size"]
    code, _, err = train(source, *WHOLE)
    assert (code, err) == (0, "")
    (path,) = tmp_path.glob("outputs/runs/own-*/run.json")
    assert json.loads(path.read_text())["model"]["macs"] == 16 * 16 * 3 * 4


def test_torchs_plateau_is_a_mistake_that_names_ours(
    train: Callable[..., WorkerResult], tmp_path: Path
) -> None:
    (tmp_path / "mine" / "scheduler").mkdir()
    (tmp_path / "mine" / "scheduler" / "own.yaml").write_text(
        "_target_: torch.optim.lr_scheduler.ReduceLROnPlateau\n"
    )
    code, out, err = train("class Net(Linear): pass\n", *WHOLE, "scheduler=own")
    assert (code, out) == (2, "")
    assert err == (
        "error: scheduler: _target_=torch.optim.lr_scheduler.ReduceLROnPlateau: "
        "needs a loss at every step, which it is not given; use scheduler=plateau\n"
    )
    assert not (tmp_path / "outputs").exists()


def test_a_batch_of_one_image_is_a_mistake_where_the_network_cannot_learn_from_it(
    train: Callable[..., WorkerResult], tmp_path: Path
) -> None:
    source = """
class Net(nn.Sequential):
    def __init__(self, num_classes):
        super().__init__(nn.Flatten(), nn.BatchNorm1d(768), nn.Linear(768, num_classes))
"""
    code, out, err = train(source, *WHOLE, "trainer.batch_size=1")
    assert (code, out) == (2, "")
    assert err.startswith(
        "error: trainer.batch_size=1: of 96 training images the smallest batch holds 1, from which "
        "the network cannot learn (ValueError: Expected more than 1 value per channel"
    )
    assert err.endswith("); use 3 or more\n")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "outputs").exists()
