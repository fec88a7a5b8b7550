"""The console script, installed as pip would install it."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import cifar_exp
from cifar_exp.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
SCRIPT = """
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({function}())
"""
WorkerResult = tuple[int, str, str]  # exit code, stdout, stderr


@pytest.fixture
def cifar_exp_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., WorkerResult]:
    """Runs `cifar-exp` with these arguments in this process."""

    def run(*arguments: str) -> WorkerResult:
        monkeypatch.setattr(sys, "argv", ["cifar-exp", *arguments])
        return (main(), *capsys.readouterr())

    return run


@pytest.fixture
def run_installed(tmp_path: Path) -> Callable[..., WorkerResult]:
    """Runs `python LINE` in an empty folder; `cifar-exp` there is the installed script."""
    script = tmp_path / "bin" / "cifar-exp"
    script.parent.mkdir()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, function = scripts["cifar-exp"].split(":")
    script.write_text(SCRIPT.format(module=module, function=function))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CIFAR_EXP_CACHE": str(tmp_path / "c")}

    def run(*line: str) -> WorkerResult:
        words = [str(script) if word == "cifar-exp" else word for word in line]
        ended = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_command(
    cifar_exp_script: Callable[..., WorkerResult], option: str
) -> None:
    code, out, err = cifar_exp_script(option)
    assert (code, err) == (0, "")
    assert out.startswith("usage: cifar-exp COMMAND [ARGUMENT ...]\n")
    for name, meaning in COMMANDS.items():
        assert [name, *meaning.split()] in [line.split() for line in out.splitlines()]


def test_the_version_is_printed(cifar_exp_script: Callable[..., WorkerResult]) -> None:
    assert cifar_exp_script("--version") == (0, f"cifar_exp {cifar_exp.__version__}\n", "")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ((), "the command is missing; it must be one of train, report, status"),
        (
            ("trian", "model=wide"),
            "trian: the command must be one of train, report, status; did you mean train?",
        ),
        (("--multirun",), "--multirun: the command must be one of train, report, status"),
        (("errors",), "errors: the command must be one of train, report, status"),
    ],
    ids=["missing", "mistyped", "option first", "a module that is not a command"],
)
def test_a_missing_or_unknown_command_is_one_sentence(
    cifar_exp_script: Callable[..., WorkerResult], line: tuple[str, ...], sentence: str
) -> None:
    assert cifar_exp_script(*line) == (2, "", f"error: {sentence}\n")


def test_the_script_loads_nothing_heavy(run_installed: Callable[..., WorkerResult]) -> None:
    code, out, err = run_installed(
        "-c",
        "import sys, cifar_exp.cli\n"
        "heavy = {'torch', 'hydra', 'omegaconf', 'pydantic', 'numpy', 'pandas', 'rich'}\n"
        "print(heavy & set(sys.modules))\n",
    )
    assert (code, out) == (0, "set()\n"), err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        ("train", ("--version",), 0),
        ("train", ("model.widht=3", "seed=-1"), 2),
        ("report", ("nowhere",), 2),
        ("report", (), 2),
        ("report", ("--help",), 0),
        ("status", (".",), 0),
        ("status", ("nowhere",), 2),
    ],
)
def test_a_command_does_what_its_module_does(
    run_installed: Callable[..., WorkerResult], command: str, arguments: tuple[str, ...], code: int
) -> None:
    by_script = run_installed("cifar-exp", command, *arguments)
    assert by_script == run_installed("-m", f"cifar_exp.{command}", *arguments)
    assert by_script[0] == code
    assert by_script[1] + by_script[2] != ""


@pytest.mark.slow
def test_a_sweep_started_by_the_script_records_the_command_that_repeats_it(
    run_installed: Callable[..., WorkerResult], tmp_path: Path, pictures: Path
) -> None:
    typed = [
        "data=folder",
        "--multirun",
        f"data.root={pictures}",
        "data.image_size=16",
        "model=tiny",
        "model.width=4,6",
        "model.stages=2",
        "trainer.batch_size=32",
        "trainer.epochs=1",
        "trainer.device=cpu",
        "report=false",
    ]
    code, out, err = run_installed("cifar-exp", "train", *typed)
    assert code == 0, out + err
    (file,) = tmp_path.glob("outputs/sweeps/*/sweep.yaml")
    (command,) = yaml.safe_load(file.read_text())["commands"]
    words = command["command"].split(" ")
    assert words == ["python", "-m", "cifar_exp.train", *typed]
    code, out, err = run_installed(*words[1:])
    assert code == 0, err
    assert "grid     2 widths: 2 runs; 2 done, 0 to train\n" in out
