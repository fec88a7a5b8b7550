"""What a sweep and its plan find out before any run begins, in the sentences of a single run."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_exp.train import main

pytestmark = pytest.mark.slow  # classes are looked up in a worker process

CommandResult = tuple[int, str, str]
ROOT = Path(__file__).resolve().parents[1]
QUICK = ("data=shapes", "data.limit_train=200", "trainer.device=cpu", "--config-dir", "mine")
MANY_RUNS = [("-m", "seed=0,1"), ("-m", "seed=0,1", "plan=true"), ("plan=true",)]
OWN_NET = """
import sys
from torch import nn
{statement}
Number = 3
"""


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., CommandResult]]:
    """Runs the command with a network of the user's own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    (tmp_path / "mine" / "model").mkdir(parents=True)

    def run(target: str, *line: str, statement: str = "") -> CommandResult:
        (tmp_path / "own_classes.py").write_text(OWN_NET.format(statement=statement))
        (tmp_path / "mine" / "model" / "own.yaml").write_text(f"_target_: {target}\n")
        importlib.invalidate_caches()
        monkeypatch.setattr(sys, "argv", ["train", "model=own", *QUICK, *line])
        return (main(), *capsys.readouterr())

    yield run
    assert not (tmp_path / "outputs").exists()
    assert "own_classes" not in sys.modules  # it is imported by a worker, not by the sweep


@pytest.mark.parametrize("line", MANY_RUNS, ids=" ".join)
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module.Net", "there is no module no_such_module; is its folder on PYTHONPATH?"),
        ("own_classes.Nte", "own_classes has no Nte"),
        ("own_classes.Number", "is not a class or function"),
        ("torchvision.models.resnet19", "torchvision.models has no resnet19"),
        ("torchvision.models", "is not a class or function"),
    ],
)
def test_a_class_that_does_not_exist_is_a_mistake_of_a_sweep_and_a_plan(
    command: Callable[..., CommandResult], target: str, reason: str, line: tuple[str, ...]
) -> None:
    assert command(target, *line) == (2, "", f"error: model: _target_={target}: {reason}\n")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("sys.exit(3)", "importing own_classes raised SystemExit: 3"),
        (
            "import no_such",
            "importing own_classes raised ModuleNotFoundError: No module named 'no_such'",
        ),
        ("import os; os._exit(5)", "importing it ended the process"),
        ("import os; os._exit(0)", "importing it ended the process"),
    ],
)
def test_a_module_that_cannot_be_imported_is_a_mistake_of_a_plan(
    command: Callable[..., CommandResult], statement: str, reason: str
) -> None:
    code, out, err = command("own_classes.Net", "plan=true", statement=statement)
    assert (code, out) == (2, "")
    assert err.removeprefix("error: ").removeprefix("model: ") == (
        f"_target_=own_classes.Net: {reason}\n"
    )


@pytest.mark.parametrize("line", MANY_RUNS, ids=" ".join)
def test_a_run_to_start_from_that_does_not_exist_is_a_mistake_of_a_sweep_and_a_plan(
    command: Callable[..., CommandResult], line: tuple[str, ...]
) -> None:
    reason = "there is no such run in outputs/runs; give a run's id"
    assert command("no_such_module.Net", "init_from=0123456789", *line) == (
        2,
        "",
        f"error: init_from=0123456789: {reason}\n",
    )


LOADED = """
import sys
from cifar_exp.train import main
if __name__ == "__main__":
    print(main(), *(name for name in ("torch", "torchvision") if name in sys.modules))
"""


def test_a_plan_with_an_installed_class_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text(LOADED)
    line = ["model=resnet18", "data=shapes", "trainer.device=cpu", "-m", "seed=0,1", "plan=true"]
    done = subprocess.run(
        [sys.executable, "plan.py", *line],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"
