"""The layers of the package, and what a command imports before it trains."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def python(code: str, *arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def lint(config: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    return python(LINT, "--config", str(config), "--no-cache", "--no-logo", folder=folder)


def test_no_package_imports_what_it_must_not(tmp_path: Path) -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    run = lint(ROOT / "pyproject.toml", tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Contracts: {len(config['contracts'])} kept, 0 broken." in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_forbidden_import_is_noticed(tmp_path: Path) -> None:
    config = tmp_path / "walls.toml"
    config.write_text(
        '[tool.importlinter]\nroot_package = "cifar_exp"\n'
        '[[tool.importlinter.contracts]]\nname = "errors is known to nobody"\ntype = "forbidden"\n'
        'source_modules = ["cifar_exp.config"]\nforbidden_modules = ["cifar_exp.errors"]\n'
    )
    run = lint(config, tmp_path)
    assert run.returncode == 1
    assert "cifar_exp.config is not allowed to import cifar_exp.errors" in run.stdout


LOADED = """
import sys
from cifar_exp.train import main
code = main()
heavy = [name for name in ("torch", "torchvision", "hydra", "omegaconf", "pandas")
         if name in sys.modules]
print(code, *heavy, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (("--version",), "0"),
        (("model=resnet18", "seed=-1", "optimiser=adam"), "2 hydra omegaconf"),
    ],
    ids=["version", "mistakes"],
)
def test_a_command_that_trains_nothing_loads_no_torch(
    tmp_path: Path, line: tuple[str, ...], end: str
) -> None:
    run = python(LOADED, *line, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stderr.splitlines()[-1] == end
    assert list(tmp_path.iterdir()) == []


def test_status_loads_neither_torch_nor_hydra(tmp_path: Path) -> None:
    code = (
        "import sys, cifar_exp.status\n"
        "print({'torch', 'hydra', 'omegaconf', 'pandas'} & set(sys.modules))\n"
    )
    run = python(code, folder=tmp_path)
    assert run.stdout == "set()\n", run.stderr


def test_a_command_line_without_mistakes_is_checked_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from cifar_exp.hydra_app.arguments import parse_arguments\n"
        "from cifar_exp.hydra_app.trials import check_command_line\n"
        "from cifar_exp.config.identity import run_id\n"
        "print(*map(run_id, check_command_line(parse_arguments(sys.argv[1:])).settings))\n"
        "print('torch' in sys.modules, 'torchvision' in sys.modules)\n"
    )
    run = python(code, "model=resnet18", "seed=3", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    ids, loaded = run.stdout.splitlines()
    assert len(ids) == 10
    assert loaded == "False False"
