"""Plans as a user types them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # commands in processes of their own

ROOT = Path(__file__).parents[1]
SMALL = ("data=shapes", "model=tiny", "trainer.epochs=2", "trainer.device=cpu")
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Gives a command for a small run on generated images."""

    def give(*line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cifar_exp.train", *SMALL, *line],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return give


def test_a_plan_before_the_first_run_estimates_its_time_and_leaves_nothing(
    command: Command, tmp_path: Path
) -> None:
    done = command("--multirun", "model.width=4,8,16", "seed=range(8)", "plan=true")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[1] == "grid     3 widths x 8 seeds = 24 runs; 0 done, 24 to train"
    assert lines[22] == "         and 4 more; plan=all lists every run"
    assert lines[-1].startswith("time     about ")
    assert lines[-1].endswith(", estimated from one training step")
    assert list(tmp_path.iterdir()) == []


def test_a_plan_of_one_run_names_its_folder_and_not_a_sweeps(command: Command) -> None:
    lines = command("plan=true").stdout.splitlines()
    assert lines[0].startswith("run      outputs/runs/tiny-")
    assert lines[1] == "status   pending"
    assert lines[-1].startswith("time     about ")


def test_all_runs_are_listed_if_asked_for(command: Command) -> None:
    lines = command("--multirun", "seed=range(25)", "plan=all").stdout.splitlines()
    assert sum("  pending  " in line for line in lines) == 25


@pytest.mark.parametrize("value", ["al", "1", "null"])
def test_no_other_word_makes_a_plan(command: Command, value: str) -> None:
    done = command(f"plan={value}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "must be true or false or all" in done.stderr


def test_as_json_a_plan_is_one_object_and_nothing_else(command: Command) -> None:
    done = command("--json", "--multirun", "model.width=4,8", "seed=0,1", "plan=true")
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    assert (plan["grid"], plan["to_train"]) == ("2 widths x 2 seeds = 4 runs", 4)
    assert plan["seconds"] > 0
    assert [run["values"] for run in plan["runs"]] == [
        {"model.width": width, "seed": seed} for seed in (0, 1) for width in (4, 8)
    ]


def test_json_without_a_plan_is_a_mistake_and_trains_nothing(
    command: Command, tmp_path: Path
) -> None:
    done = command("--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: --json goes with plan=true; status and report have a --json of their own\n"
    )
    assert list(tmp_path.iterdir()) == []
