"""A trial is parsed, checked and hashed once on its way from the command line to a worker."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.hydra_app import fixed, validation
from cifar_exp.runs import execute
from cifar_exp.sweeps import plan
from cifar_exp.train import main

pytestmark = pytest.mark.slow  # a sweep with worker processes

NETWORK = """
import sys
from pathlib import Path
from torch import nn

class Net(nn.Sequential):
    def __init__(self, num_classes):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_classes))
        loaded = [name for name in ("hydra", "omegaconf", "antlr4") if name in sys.modules]
        with Path("loaded.txt").open("a") as stream:
            stream.write(f"{loaded}\\n")
"""
# Each once; --multirun is an option, and the two swept lines list two values each.
OVERRIDES = [
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=own",
    "trainer.epochs=1",
    "trainer.batch_size=32",
    "trainer.device=cpu",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "report=false",
    "hydra.launcher.n_jobs=2",
    "seed=0,1",
    "optimizer.lr=0.1,0.2",
]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the calls in this process."""
    calls: Counter[str] = Counter()

    def wrap(place: Any, name: str) -> None:
        function: Callable[..., Any] = getattr(place, name)

        def counted(*arguments: Any, **keywords: Any) -> Any:
            calls[name] += 1
            return function(*arguments, **keywords)

        monkeypatch.setattr(place, name, counted)

    for place, name in (
        (validation, "parse_override"),
        (validation, "validate"),
        (fixed, "validate"),
        (LocalOptions, "model_validate"),
        (plan, "run_id"),
        (execute, "run_id"),
    ):
        wrap(place, name)
    return calls


@pytest.fixture
def sweep(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, list[str]]]:
    """Runs four trials; returns the exit code and what each worker had loaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "own_net.py").write_text(NETWORK)
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "own.yaml").write_text("_target_: own_net.Net\n")

    def run(*more: str) -> tuple[int, list[str]]:
        line = ["--multirun", "--config-dir", "mine", f"data.root={pictures}", *OVERRIDES, *more]
        monkeypatch.setattr(sys, "argv", ["train", *line])
        code = main()
        file = tmp_path / "loaded.txt"
        return code, file.read_text().splitlines() if file.exists() else []

    return run


def test_each_override_is_parsed_and_each_trial_checked_and_hashed_once(
    count: Counter[str], sweep: Callable[..., tuple[int, list[str]]]
) -> None:
    assert sweep() == (0, ["[]"] * 4)
    assert count == {
        "parse_override": len(OVERRIDES) + 1,  # and data.root
        "validate": 4 + 1,  # the settings without the fixed ones, for the sweep's name
        "model_validate": 1,
        "run_id": 4,
    }


def test_a_plan_is_made_in_one_pass_too(
    count: Counter[str], sweep: Callable[..., tuple[int, list[str]]]
) -> None:
    assert sweep("plan=true")[0] == 0
    assert count["parse_override"] == len(OVERRIDES) + 2
    assert (count["validate"], count["model_validate"], count["run_id"]) == (5, 1, 4)
