"""SIGKILL at every operation on files, and the same command again: nothing shows of it."""

import csv
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cifar_exp.config.schema import Settings
from cifar_exp.errors import Interrupted
from cifar_exp.runs import recorder
from cifar_exp.runs.execute import execute
from cifar_exp.runs.recorder import Recorder
from cifar_exp.runs.runner import Runner
from cifar_exp.runs.spec import RunSpec
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.launchers.local.pool import PRELOADED
from cifar_exp.sweeps.plan import Plan, make_plan
from cifar_exp.sweeps.sweep import Sweep
from cifar_exp.sweeps.trial import Grid, Trial

pytestmark = pytest.mark.slow  # runs in processes that are killed

OPERATIONS = (
    "replace",
    "rename",
    "unlink",
    "remove",
    "rmdir",
    "fsync",
    "truncate",
    "ftruncate",
    "mkdir",
    "symlink",
)
TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(list(PRELOADED))

Command = Callable[[], object]


def perform(command: Command, fatal: int, begin: tuple[type, str], counted: Any) -> None:
    """Run a command that dies before its `fatal`-th operation since the method `begin` was called.

    `counted` holds how many there were.
    """
    owner, name = begin
    real = getattr(owner, name)

    def armed(*arguments: object, **more: object) -> object:
        setattr(owner, name, real)
        for operation in OPERATIONS:
            setattr(os, operation, deadly(getattr(os, operation)))
        return real(*arguments, **more)

    def deadly(operation: Callable) -> Callable:
        def counting(*arguments: object, **more: object) -> object:
            if threading.current_thread() is threading.main_thread():
                counted.value += 1
                if counted.value == fatal:
                    os.kill(os.getpid(), signal.SIGKILL)
            return operation(*arguments, **more)

        return counting

    setattr(owner, name, armed)
    command()


def perform_and_die(commands: Sequence[Command], begin: tuple[type, str], counted: Any) -> None:
    """Let the first command die before its first operation, the second before its second, ..."""
    for fatal, command in enumerate(commands, start=1):
        child = os.fork()  # of a process that has imported all, but not computed anything
        if child == 0:
            counted.value = 0
            perform(command, fatal, begin, counted)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        assert counted.value == fatal


def in_child(target: Callable, *arguments: object) -> int:
    """Call `target` in a process of its own, with a counter as its last argument; the count."""
    counted = context.Value("i", 0)
    process = context.Process(target=target, args=(*arguments, counted))
    process.start()
    process.join()
    assert process.exitcode == 0
    return int(counted.value)


def kill_everywhere(
    prepare: Callable[[str], Command], outcome: Callable[[str], object], begin: tuple[type, str]
) -> int:
    """Kill a command before each of its operations in turn, and give it again; returns how many.

    `prepare` makes what the command finds, under a name, and `outcome` reads what it left there.
    """
    count = in_child(perform, prepare("undisturbed"), 0, begin)
    expected = outcome("undisturbed")
    commands = {name: prepare(name) for name in (f"killed {n + 1}" for n in range(count))}
    in_child(perform_and_die, list(commands.values()), begin)
    for name, command in commands.items():
        command()
        assert outcome(name) == expected, f"{name} of {count}"
    return count


def recorded(folder: Path) -> dict[str, Any]:
    """run.json without what a clock or the process says; times are compared with metrics.csv."""
    record = json.loads((folder / "run.json").read_text())
    seconds = sum(float(row["epoch_seconds"]) for row in rows(folder, "metrics.csv"))
    assert record["compute"].pop("train_seconds") == pytest.approx(seconds) != 0
    assert record["compute"].pop("peak_memory_mb") > 1
    for key in ("segments", "started_at", "finished_at"):
        assert record.pop(key)
    return record


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open() as stream:
        return list(csv.DictReader(stream))


def metrics(folder: Path) -> list[dict[str, str]]:
    found = rows(folder, "metrics.csv") + rows(folder, "extra.csv")
    return [{key: value for key, value in row.items() if key not in TIMES} for row in found]


def weights(path: Path) -> tuple[set[str], Mapping[str, list]]:
    content = torch.load(path, weights_only=True)
    network = content.get("trainer", content)["network"]
    return set(content), {name: value.tolist() for name, value in network.items()}


def left_in(outputs: Path) -> dict[str, Any]:
    """All that runs left: every file's name, and what is in those that hold metrics."""
    found: dict[str, Any] = {
        "files": sorted(str(path.relative_to(outputs)) for path in outputs.rglob("*")),
        "latest": os.readlink(outputs / "latest"),
    }
    for folder in sorted(path for path in (outputs / "runs").iterdir() if path.name[0] != "."):
        with np.load(folder / "predictions.npz") as arrays:
            predictions = {name: arrays[name].tolist() for name in arrays.files}
        checkpoints = [weights(path) for path in sorted(folder.glob("checkpoints/*.pt"))]
        found[folder.name] = recorded(folder), metrics(folder), predictions, checkpoints
    return found


@pytest.mark.parametrize(
    ("begin", "overrides"),
    [
        ((Runner, "run"), ("trainer.epochs=2", "trainer.evaluate=best")),
        ((Recorder, "test"), ("trainer.epochs=1", "keep=none")),
        ((Recorder, "test"), ("trainer.epochs=1", "keep=all", "data.val_fraction=0")),
    ],
)
def test_a_run_killed_anywhere_ends_as_undisturbed(
    make_spec: Callable[..., RunSpec],
    tmp_path: Path,
    begin: tuple[type, str],
    overrides: Sequence[str],
) -> None:
    spec = make_spec(*overrides)

    def prepare(name: str) -> Command:
        return partial(execute, replace(spec, outputs=tmp_path / name))

    assert kill_everywhere(prepare, lambda name: left_in(tmp_path / name), begin) > 10


def test_a_rerun_killed_anywhere_takes_the_place_of_its_run(
    make_spec: Callable[..., RunSpec], tmp_path: Path
) -> None:
    first = make_spec("trainer.epochs=1", "model.dropout=0")
    execute(first)
    settings = first.settings.model_copy(update={"rerun": True})

    def prepare(name: str) -> Command:
        shutil.copytree(first.outputs, tmp_path / name, symlinks=True)
        return partial(execute, replace(first, settings=settings, outputs=tmp_path / name))

    begin = (Runner, "_finish")
    assert kill_everywhere(prepare, lambda name: left_in(tmp_path / name), begin) > 20


def plan_of(settings: Settings, outputs: Path) -> Plan:
    cells = [
        Trial(settings.model_copy(update={"seed": seed}), "tiny", (f"seed={seed}",), {"seed": seed})
        for seed in (0, 1)
    ]
    plan = make_plan(Grid(cells, ("seed",), is_sweep=True), lambda *_: None)
    return replace(plan, outputs=outputs)


def sweep(plan: Plan, executor: Executor) -> None:
    assert Sweep(plan, executor, "python -m cifar_exp.train").run() == 0


def test_a_sweep_killed_anywhere_at_its_end_lists_all_its_runs(
    make_spec: Callable[..., RunSpec], in_process: Executor, tmp_path: Path
) -> None:
    settings = make_spec("trainer.epochs=1", "report=false").settings
    plan = plan_of(settings, tmp_path)

    def prepare(name: str) -> Command:
        return partial(sweep, replace(plan, outputs=tmp_path / name), in_process)

    def outcome(name: str) -> object:
        folder = tmp_path / name / "sweeps" / plan.name
        listed = rows(folder, "runs.csv")
        assert [row["status"] for row in listed] == ["completed", "completed"]
        return left_in(tmp_path / name), listed

    assert kill_everywhere(prepare, outcome, (Sweep, "_print_end")) > 3


def test_stopped_during_the_test_a_run_keeps_what_training_took(
    make_spec: Callable[..., RunSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec("trainer.epochs=1")
    expected = execute(replace(spec, outputs=tmp_path / "undisturbed")).folder
    monkeypatch.setattr(Recorder, "test", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        execute(spec)
    monkeypatch.undo()
    (folder,) = (path for path in spec.runs.iterdir() if path.name[0] != ".")
    undisturbed = recorded(expected)
    interrupted = recorded(folder)
    for part in ("compute", "best", "final"):
        assert interrupted[part] == undisturbed[part]
    execute(spec)
    assert recorded(folder) == undisturbed


def test_the_peak_of_memory_is_the_largest_of_all_processes(
    make_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec("trainer.epochs=2")
    peaks = iter((5000.0, 7000.0))
    monkeypatch.setattr(recorder, "peak_memory_mb", lambda _: next(peaks, 6000.0))
    monkeypatch.setattr(Recorder, "test", lambda _: 1 / 0)
    assert execute(spec).record.compute.peak_memory_mb == 7000
    monkeypatch.undo()
    monkeypatch.setattr(recorder, "peak_memory_mb", lambda _: 6000.0)
    assert execute(spec).record.compute.peak_memory_mb == 7000
