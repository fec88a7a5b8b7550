"""The command where its output is not read, Python is optimized, or Hydra sweeps by itself."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # commands in processes of their own

ROOT = Path(__file__).resolve().parents[1]
SMALL = ("data=shapes", "model=tiny", "data.limit_train=200", "data.limit_test=100")
QUICK = (*SMALL, "trainer.epochs=1", "trainer.device=cpu", "trainer.threads=1")
SHOWING = [("--help",), ("-h",), (*QUICK, "plan=true"), (*QUICK, "-m", "seed=0,1", "plan=true")]


def start(folder: Path, line: tuple[str, ...], **options: Any) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("variables", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "cifar_exp.train", *line],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("line", SHOWING, ids=" ".join)
def test_a_reader_that_has_seen_enough_is_not_an_error(
    tmp_path: Path, line: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as `| head` does, only sooner
    process = start(tmp_path, line, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize("line", SHOWING, ids=" ".join)
def test_closed_output_is_not_an_error(tmp_path: Path, line: tuple[str, ...]) -> None:
    process = start(tmp_path, line, preexec_fn=lambda: os.close(1))
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize("override", ["seed=range(0,2)", "model=glob(t*)", "+model.x={a:1}"])
def test_what_hydra_cannot_parse_under_optimization_is_a_mistake(
    tmp_path: Path, override: str
) -> None:
    variables = {"PYTHONOPTIMIZE": "1"}
    process = start(
        tmp_path, ("-m", override, "plan=true"), stdout=subprocess.PIPE, variables=variables
    )
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, b"")
    assert err.decode() == (
        f"error: {override}: Hydra cannot parse this under PYTHONOPTIMIZE or python -O; "
        "run without them\n"
    )


def test_one_of_hydras_sweepers_leaves_nothing_beside_the_runs(tmp_path: Path) -> None:
    line = (*QUICK, "hydra/sweeper=basic", "-m", "seed=0,1")
    process = start(tmp_path, line, stdout=subprocess.PIPE)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (0, b"")
    assert out.decode().startswith("note     one of Hydra's sweepers runs this: ")
    assert os.listdir(tmp_path) == ["outputs"]
    assert len(list(tmp_path.glob("outputs/runs/tiny-*/run.json"))) == 2
