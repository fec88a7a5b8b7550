"""Runs on worker processes; small runs, or functions in their place if training does not matter."""

import csv
import errno
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.errors import EnvironmentFailure
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.record import RunRecord
from cifar_exp.sweeps.launchers.base import RunStoppedError
from cifar_exp.sweeps.launchers.local import executor as module
from cifar_exp.sweeps.launchers.local import worker as inside
from cifar_exp.sweeps.launchers.local.executor import LocalExecutor, Train
from cifar_exp.sweeps.launchers.local.pool import PRELOADED
from cifar_exp.sweeps.launchers.local.worker import WorkerResult

pytestmark = pytest.mark.slow  # starts worker processes

TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")
CPU = Slot(None, 1)
MakeSpec = Callable[..., RunSpec]
Ends = Mapping[str, Exception | None]


def answer(spec: RunSpec) -> WorkerResult:
    """Report the process and the slot, by the only message that reaches the caller."""
    time.sleep(0.05)
    return WorkerResult("stopped", f"{os.getpid()} {spec.slot.device} {spec.slot.threads}")


def die() -> list[str]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def die_at_seeds_1_2_3(spec: RunSpec) -> WorkerResult:
    if spec.settings.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if spec.settings.seed == 2:
        os._exit(3)
    if spec.settings.seed == 3:
        os._exit(0)
    return answer(spec)


def hang(spec: RunSpec) -> WorkerResult:
    """Ignore requests to stop; of seed 1 the whole process is suspended."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spec.outputs.mkdir(parents=True)
    (spec.outputs / "pid").write_text(str(os.getpid()))
    if spec.settings.seed == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(600)
    return answer(spec)


def disk_is_full(_spec: RunSpec) -> WorkerResult:
    return WorkerResult("environment", "no space left")


def execute_alone(spec: RunSpec) -> None:
    execute(spec)


def make_executor(slots: Sequence[Slot], train: Train) -> LocalExecutor:
    return LocalExecutor(
        LocalOptions(), needs_accelerator=False, train=train, divide=lambda _: slots
    )


def train_with(executor: LocalExecutor, specs: Sequence[RunSpec]) -> Ends:
    ends: dict[str, Exception | None] = {}
    for spec in specs:
        executor.submit(spec)
    while executor.live():
        ends.update(executor.poll(60))
    return ends


def train_all(specs: Sequence[RunSpec], slots: Sequence[Slot], train: Train) -> Ends:
    with make_executor(slots, train) as executor:
        return train_with(executor, specs)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.01)
        raise AssertionError(f"process {pid} is still there")


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
    with make_executor([CPU] * 500, answer) as executor:
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


def test_a_process_that_dies_between_two_runs_is_replaced(make_spec: MakeSpec) -> None:
    first, second = make_spec("seed=10"), make_spec("seed=11")
    with make_executor([CPU], answer) as executor:
        pid = int(message(train_with(executor, [first]), first).split()[0])
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        other = message(train_with(executor, [second]), second).split()[0]
    assert other.isdigit()
    assert int(other) != pid


class BrokenWorker:
    """Stands in for a worker whose process dies before each run begins."""

    error: Exception = BrokenProcessPool("All workers expired")
    submitted = 0

    def __init__(self, slot: Slot, _context: object) -> None:
        self.slot = slot

    def submit(self, *_arguments: object, **_options: object) -> "Future[WorkerResult]":
        BrokenWorker.submitted += 1
        future: Future[WorkerResult] = Future()
        future.set_exception(self.error)
        return future

    def close(self) -> None:
        pass


def test_a_run_whose_process_dies_before_it_begins_is_tried_twice_and_then_has_a_reason(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Worker", BrokenWorker)
    monkeypatch.setattr(BrokenWorker, "submitted", 0)
    spec = make_spec()
    ends = train_all([spec], [CPU], answer)
    assert BrokenWorker.submitted == 2
    assert message(ends, spec) == "its process died before the run began"
    assert isinstance(ends[str(spec.run_id)], RunStoppedError)


def test_if_no_process_can_start_the_sweep_ends_with_the_systems_reason(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = BrokenProcessPool()
    broken.__cause__ = OSError(errno.EMFILE, "Too many open files")
    monkeypatch.setattr(module, "Worker", BrokenWorker)
    monkeypatch.setattr(BrokenWorker, "error", broken)
    spec = make_spec()
    ends = train_all([spec], [CPU], answer)
    assert isinstance(ends[str(spec.run_id)], EnvironmentFailure)
    assert message(ends, spec) == (
        "too many files are open; no worker process can start, all runs are saved: raise the limit "
        "(ulimit -n) or lower hydra.launcher.n_jobs, and run the same command again"
    )


@pytest.mark.parametrize("where", ["Pipe", "schedule"])
def test_too_many_open_files_are_one_sentence(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with make_executor([CPU], answer) as executor:
        if where == "Pipe":
            monkeypatch.setattr(executor._context, "Pipe", refuse)
        else:
            monkeypatch.setattr(
                "cifar_exp.sweeps.launchers.local.pool.ProcessPool.schedule", refuse
            )
        with pytest.raises(EnvironmentFailure, match="too many files are open"):
            executor.submit(make_spec())
        monkeypatch.undo()


def test_an_executor_may_be_closed_twice_and_used_again(make_spec: MakeSpec) -> None:
    first, second = make_spec("seed=10"), make_spec("seed=11")
    executor = make_executor([CPU], answer)
    executor.close()
    one = train_with(executor, [first])
    executor.close()
    executor.close()
    other = train_with(executor, [second])
    executor.close()
    assert message(one, first).split()[0] != message(other, second).split()[0]


@pytest.mark.parametrize("seed", [0, 1], ids=["ignores requests", "is suspended"])
def test_a_process_that_does_not_stop_is_killed_after_the_grace_period(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr("cifar_exp.sweeps.launchers.local.pool.CLOSE_SECONDS", 0.1)
    spec = make_spec(f"seed={seed}")
    with make_executor([CPU], hang) as executor:
        executor.submit(spec)
        note = spec.outputs / "pid"
        while not note.exists() or not note.read_text():
            assert executor.poll(0.01) == {}
        executor.cancel()
    wait_until_gone(int(note.read_text()))


def test_a_second_signal_kills_the_runs_that_are_being_saved(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with make_executor([CPU], hang) as executor:
        spec = make_spec()
        executor.submit(spec)
        note = spec.outputs / "pid"
        while not note.exists() or not note.read_text():
            assert executor.poll(0.01) == {}
        monkeypatch.setattr(module, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            executor.cancel()
        wait_until_gone(int(note.read_text()))


def test_the_death_of_the_process_that_looks_for_devices_is_one_sentence(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "accelerators", die)
    with (
        LocalExecutor(LocalOptions()) as executor,
        pytest.raises(EnvironmentFailure, match="the first worker process died"),
    ):
        executor.submit(make_spec())


def test_a_function_is_called_in_the_worker_that_then_trains(make_spec: MakeSpec) -> None:
    with LocalExecutor(LocalOptions(n_jobs=1), needs_accelerator=False, train=answer) as executor:
        process = executor.call(os.getpid)
        assert process != os.getpid()
        executor.submit(make_spec())
        (end,) = executor.poll(60).values()
    assert str(end) == f"{process} None {len(os.sched_getaffinity(0))}"
