"""Runs on Ray: what they train, what stops or kills them, and what is left behind."""

import csv
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_exp.config.launcher import LocalOptions, RayOptions
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.lock import lock_holder
from cifar_exp.storage.run_folder import find_run
from cifar_exp.storage.run_state import RunState, read_state
from cifar_exp.sweeps.launchers.base import Executor, RunStoppedError
from cifar_exp.sweeps.launchers.local.executor import LocalExecutor
from cifar_exp.sweeps.launchers.ray.executor import RayExecutor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.usefixtures("local_ray"),
]

TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")
LONG = "trainer.epochs=400"
MakeSpec = Callable[..., RunSpec]


def train(executor: Executor, *specs: RunSpec) -> None:
    with executor:
        for spec in specs:
            executor.submit(spec)
        while executor.live():
            assert set(executor.poll(60).values()) <= {None}


def metrics(spec: RunSpec) -> list[dict[str, str]]:
    with (folder(spec) / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return [{key: text for key, text in row.items() if key not in TIMES} for row in rows]


def folder(spec: RunSpec) -> Path:
    found = find_run(spec.runs, str(spec.run_id))
    assert found is not None
    return found


def state(spec: RunSpec) -> RunState:
    return read_state(spec.runs, str(spec.run_id), find_run(spec.runs, str(spec.run_id)))


def wait_for_an_epoch(spec: RunSpec) -> None:
    deadline = time.monotonic() + 120
    while state(spec).epoch == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_worker_of(spec: RunSpec) -> None:
    wait_for_an_epoch(spec)
    holder = lock_holder(spec.runs, str(spec.run_id))
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)


@pytest.fixture
def executor() -> Iterator[RayExecutor]:
    with RayExecutor(RayOptions(retries=1)) as made:
        yield made
        made.cancel(now=True)


def test_a_sweep_has_the_metrics_that_it_has_on_this_machine(make_spec: MakeSpec) -> None:
    cells = [(f"model.width={width}", f"seed={seed}") for width in (4, 8) for seed in (0, 1)]
    here = [make_spec(*cell) for cell in cells]
    there = [make_spec(*cell, outputs="ray") for cell in cells]
    train(LocalExecutor(LocalOptions(), needs_accelerator=False, divide=one_thread), *here)
    train(RayExecutor(RayOptions(cpus=1)), *there)
    assert [metrics(spec) for spec in there] == [metrics(spec) for spec in here]
    assert len(metrics(there[0])) == 3


def one_thread(_accelerators: object) -> list[Slot]:
    return [Slot(None, 1)] * 2


def test_a_run_whose_worker_is_killed_goes_on_from_its_checkpoint_once(
    executor: RayExecutor, make_spec: MakeSpec, capfd: pytest.CaptureFixture[str]
) -> None:
    spec, other = make_spec("seed=0", LONG), make_spec("seed=1", "trainer.epochs=20")
    executor.submit(spec)
    executor.submit(other)
    kill_worker_of(spec)
    reached = state(spec).epoch
    ends: dict[str, Exception | None] = {}
    while spec.run_id in executor.live() and state(spec).epoch <= reached:
        ends.update(executor.poll(0.1))
    assert "resume   after epoch" in (folder(spec) / "train.log").read_text()
    kill_worker_of(spec)
    while executor.live():
        ends.update(executor.poll(60))
    assert isinstance(ends[spec.run_id], RunStoppedError)
    assert state(spec).reason == "WorkerDied: its Ray worker died (2 times)"
    assert ends[other.run_id] is None
    assert state(other).status == "completed"
    assert capfd.readouterr() == ("", "")  # what Ray prints of it is not ours


def test_a_run_that_is_stopped_saves_its_position(
    executor: RayExecutor, make_spec: MakeSpec
) -> None:
    specs = [make_spec(f"seed={seed}", LONG) for seed in range(3)]
    for spec in specs:
        executor.submit(spec)
    wait_for_an_epoch(specs[0])
    executor.cancel()
    assert state(specs[0]).reason == "asked to stop, position saved"
    assert state(specs[2]).status == "pending"
    assert {state(spec).holder for spec in specs} == {None}


def test_ray_leaves_no_token_and_no_handler_of_signals() -> None:
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    token = Path.home() / ".ray" / "auth_token"
    assert not token.exists() or token.read_text() != os.environ["RAY_AUTH_TOKEN"]
