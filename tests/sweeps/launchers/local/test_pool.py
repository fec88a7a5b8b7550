"""Requests on worker processes: stand-ins where training does not matter, else small runs."""

import csv
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.sweeps.launchers.local.pool import PRELOADED, run_all
from cifar_exp.sweeps.launchers.local.worker import WorkerResult

pytestmark = pytest.mark.slow  # worker processes

TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")
CPU = Slot(None, 1)


def answer(spec: RunSpec) -> WorkerResult:
    """Tells the process, the slot and the run's seed."""
    time.sleep(0.05)
    slot = spec.slot
    return WorkerResult("ended", message=f"{os.getpid()} {slot.device} {slot.threads}")


def die_at_seeds_1_to_3(spec: RunSpec) -> WorkerResult:
    if spec.settings.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if spec.settings.seed == 2:
        os._exit(3)
    if spec.settings.seed == 3:
        os._exit(0)
    return answer(spec)


def disk_is_full_at_seed_1(spec: RunSpec) -> WorkerResult:
    return WorkerResult("outside") if spec.settings.seed == 1 else WorkerResult("ended")


def execute_alone(spec: RunSpec) -> None:
    execute(spec)


@pytest.fixture
def make_spec(small_settings: Callable, tmp_path: Path) -> Callable[..., RunSpec]:
    def make(*overrides: str, outputs: str = "outputs") -> RunSpec:
        return RunSpec(small_settings(*overrides), "tiny", overrides, tmp_path / outputs)

    return make


def run(
    specs: list[RunSpec], slots: list[Slot], **more: Callable[[RunSpec], WorkerResult]
) -> dict[int, WorkerResult]:
    ends: dict[int, WorkerResult] = {}
    run_all(specs, lambda _accelerators: slots, ends.__setitem__, **more)
    return ends


def figures(folder: Path) -> list[list[dict[str, str]]]:
    found = []
    for name in ("metrics.csv", "extra.csv"):
        with (folder / name).open() as stream:
            rows = csv.DictReader(stream)
            found.append([{k: v for k, v in row.items() if k not in TIMES} for row in rows])
    return found


def test_each_slot_has_a_process_that_makes_one_run_after_another(
    make_spec: Callable[..., RunSpec],
) -> None:
    slots = [Slot("cuda:0", 3), Slot("cuda:1", 5)]
    ends = run([make_spec(f"seed={seed}") for seed in range(6)], slots, train=answer)
    told = [ends[index].message.split() for index in range(6)]
    assert {(device, threads) for _, device, threads in told} == {("cuda:0", "3"), ("cuda:1", "5")}
    assert len({pid for pid, _, _ in told}) == 2
    assert str(os.getpid()) not in {pid for pid, _, _ in told}


def test_a_process_that_dies_fails_its_run_alone_and_is_replaced(
    make_spec: Callable[..., RunSpec],
) -> None:
    specs = [make_spec(f"seed={seed}") for seed in range(5)]
    ends = run(specs, [CPU], train=die_at_seeds_1_to_3)
    assert [ends[index].kind for index in range(5)] == ["ended", *["killed"] * 3, "ended"]
    first, last = (ends[index].message.split()[0] for index in (0, 4))
    assert ends[1].message == (
        f"its process {first} was killed by SIGKILL, perhaps by the system for want of memory"
    )
    assert ends[2].message.endswith(" ended with exit code 3")
    assert ends[3].message.endswith(" ended with exit code 0")
    assert last != first


def test_what_will_befall_every_run_ends_them_all(make_spec: Callable[..., RunSpec]) -> None:
    specs = [make_spec(f"seed={seed}") for seed in range(4)]
    ends = run(specs, [CPU], train=disk_is_full_at_seed_1)
    assert {index: end.kind for index, end in ends.items()} == {0: "ended", 1: "outside"}


def test_a_worker_keeps_nothing_of_a_run_for_the_next_one(
    make_spec: Callable[..., RunSpec], tmp_path: Path
) -> None:
    a = ("model.dropout=0.3", "augmentation=strong", "seed=5")
    b = ("model.width=6", "optimizer=muon", "trainer.ema=0.9", "trainer.threads=2")
    lines = [(a, "first"), (b, "second"), (a, "third")]
    in_one = [make_spec(*line, outputs=f"one/{name}") for line, name in lines]
    ends = run(in_one, [CPU])
    assert [ends[index].kind for index in range(3)] == ["ended"] * 3
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    for line, name in lines:
        alone = replace(make_spec(*line, outputs=f"alone/{name}"), slot=CPU, is_silent=True)
        process = context.Process(target=execute_alone, args=(alone,))
        process.start()
        process.join()
    folders = {
        place: [next((tmp_path / place / name / "runs").glob("[!.]*")) for _, name in lines]
        for place in ("one", "alone")
    }
    assert list(map(figures, folders["one"])) == list(map(figures, folders["alone"]))
    first, second, third = folders["one"]
    assert figures(first) == figures(third) != figures(second)
    predictions = [(folder / "predictions.npz").read_bytes() for folder in (first, third)]
    assert predictions[0] == predictions[1]
