"""Runs on worker processes: stand-ins where training does not matter, else small runs."""

import csv
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.errors import EnvironmentFailure
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.record import RunRecord
from cifar_exp.sweeps.launchers.local.executor import LocalExecutor, Train
from cifar_exp.sweeps.launchers.local.pool import PRELOADED
from cifar_exp.sweeps.launchers.local.worker import WorkerResult

TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")
CPU = Slot(None, 1)
MakeSpec = Callable[..., RunSpec]
Ends = Mapping[str, Exception | None]


def answer(spec: RunSpec) -> WorkerResult:
    """Report the process and the slot, by the only message that reaches the caller."""
    time.sleep(0.05)
    return WorkerResult("stopped", f"{os.getpid()} {spec.slot.device} {spec.slot.threads}")


def die_at_seeds_1_2_3(spec: RunSpec) -> WorkerResult:
    if spec.settings.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if spec.settings.seed == 2:
        os._exit(3)
    if spec.settings.seed == 3:
        os._exit(0)
    return answer(spec)


def disk_is_full(_spec: RunSpec) -> WorkerResult:
    return WorkerResult("environment", "no space left")


def execute_alone(spec: RunSpec) -> None:
    execute(spec)


def train_all(specs: Sequence[RunSpec], slots: Sequence[Slot], train: Train) -> Ends:
    ends: dict[str, Exception | None] = {}
    with LocalExecutor(
        LocalOptions(), needs_accelerator=False, train=train, divide=lambda _: slots
    ) as executor:
        for spec in specs:
            executor.submit(spec)
        while executor.live():
            ends.update(executor.poll(60))
    return ends


def message(ends: Ends, spec: RunSpec) -> str:
    assert spec.run_id is not None
    return str(ends[spec.run_id])


def figures(folder: Path) -> list[list[dict[str, str]]]:
    found = []
    for name in ("metrics.csv", "extra.csv"):
        with (folder / name).open() as stream:
            rows = csv.DictReader(stream)
            found.append([{k: v for k, v in row.items() if k not in TIMES} for row in rows])
    return found


def test_each_slot_has_one_process_that_trains_one_run_after_another(make_spec: MakeSpec) -> None:
    specs = [make_spec(f"seed={seed}") for seed in range(6)]
    ends = train_all(specs, [Slot("cuda:0", 3), Slot("cuda:1", 5)], answer)
    answers = [message(ends, spec).split() for spec in specs]
    assert {(device, threads) for _, device, threads in answers} == {
        ("cuda:0", "3"),
        ("cuda:1", "5"),
    }
    assert len({pid for pid, _, _ in answers}) == 2
    assert str(os.getpid()) not in {pid for pid, _, _ in answers}


def test_no_more_processes_start_than_there_are_runs(make_spec: MakeSpec) -> None:
    specs = [make_spec(f"seed={seed}") for seed in range(2)]
    with LocalExecutor(
        LocalOptions(), needs_accelerator=False, train=answer, divide=lambda _: [CPU] * 500
    ) as executor:
        for spec in specs:
            executor.submit(spec)
        assert len(executor.capacity()) == 500
        assert len(executor._workers) == 2


def test_a_process_that_dies_fails_only_its_run_and_is_replaced(make_spec: MakeSpec) -> None:
    specs = [make_spec(f"seed={seed}") for seed in range(5)]
    ends = train_all(specs, [CPU], die_at_seeds_1_2_3)
    first, killed, exited, left, last = (message(ends, spec) for spec in specs)
    assert killed == (
        f"its process {first.split()[0]} was killed by SIGKILL, "
        "perhaps by the system because memory ran out"
    )
    assert exited.endswith(" ended with exit code 3")
    assert left.endswith(" ended with exit code 0")
    assert last.split()[0] != first.split()[0]


def test_a_run_whose_process_died_is_recorded_as_failed(
    make_spec: MakeSpec, make_record: Callable[..., RunRecord]
) -> None:
    spec = make_spec("seed=1")
    folder = spec.runs / f"tiny-{spec.run_id}"
    folder.mkdir(parents=True)
    make_record("running", run_id=spec.run_id).save(folder)
    ends = train_all([spec], [CPU], die_at_seeds_1_2_3)
    record = RunRecord.load(folder)
    assert record is not None
    assert record.error is not None
    assert (record.status, record.error.type) == ("failed", "WorkerDied")
    assert record.error.message == message(ends, spec)


def test_a_failure_that_hits_every_run_is_passed_on(make_spec: MakeSpec) -> None:
    spec = make_spec()
    ends = train_all([spec], [CPU], disk_is_full)
    assert isinstance(ends[str(spec.run_id)], EnvironmentFailure)
    assert message(ends, spec) == "no space left"


def test_a_worker_keeps_nothing_of_a_run_for_the_next_one(
    make_spec: MakeSpec, tmp_path: Path
) -> None:
    a = ("model.dropout=0.3", "augmentation=strong", "seed=5")
    b = ("model.width=6", "optimizer=muon", "trainer.ema=0.9", "trainer.threads=2")
    lines = [(a, "first"), (b, "second"), (a, "third")]
    with LocalExecutor(LocalOptions(), needs_accelerator=False, divide=lambda _: [CPU]) as executor:
        for line, name in lines:
            executor.submit(make_spec(*line, outputs=f"one/{name}"))
            assert list(executor.poll(60).values()) == [None]
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
