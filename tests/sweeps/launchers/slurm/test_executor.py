"""The executor with a queue that follows a script, on a clock of its own."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import cast

import pytest

from cifar_exp.config.launcher import SlurmOptions
from cifar_exp.config.schema import Settings
from cifar_exp.errors import EnvironmentFailure, Interrupted
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.jobs import Job, JobsFile
from cifar_exp.storage.lock import RunLockedError, lock_run
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import read_states
from cifar_exp.sweeps.launchers.base import RunStoppedError
from cifar_exp.sweeps.launchers.local.worker import WorkerResult
from cifar_exp.sweeps.launchers.slurm import executor as module
from cifar_exp.sweeps.launchers.slurm.commands import UnreachableError
from cifar_exp.sweeps.launchers.slurm.executor import SlurmExecutor
from cifar_exp.sweeps.launchers.slurm.job import TrainJob
from cifar_exp.sweeps.launchers.slurm.queue import signal_delay

SETTINGS = cast(Settings, None)  # they are only handed on
ONE, OTHER = "0123456789", "12e4567890"


class ScriptedQueue:
    """Jobs are in it until a test takes them out; `batches` lists what was submitted together."""

    def __init__(self) -> None:
        self.batches: list[list[TrainJob]] = []
        self.inside: set[str] = set()
        self.results: dict[str, WorkerResult] = {}
        self.calls: list[str] = []
        self.is_silent = False

    def submit(self, jobs: Sequence[TrainJob]) -> list[str]:
        self.batches.append(list(jobs))
        ids = [f"{len(self.batches)}_{i}" for i in range(len(jobs))]
        self.inside |= set(ids)
        return ids

    def queued(self) -> set[str]:
        self.calls.append("queued")
        if self.is_silent:
            raise UnreachableError("Unable to contact slurm controller")
        return set(self.inside)

    def returned(self) -> set[str]:
        return set(self.results)

    def result(self, job_id: str) -> WorkerResult:
        return self.results[job_id]

    def end(self, job_id: str) -> str:  # noqa: ARG002
        return "was canceled"

    def cancel(self, job_ids: Iterable[str], *, now: bool) -> None:
        self.calls += [f"{'kill' if now else 'stop'} {job_id}" for job_id in sorted(job_ids)]
        self.inside -= set(job_ids)

    def how_to_cancel(self, job_ids: Iterable[str]) -> str:
        return f"scancel {' '.join(job_ids)}"

    def clear(self, job_id: str) -> None:
        self.calls.append(f"clear {job_id}")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the executor's clock, which also moves when it sleeps."""

    class Clock:
        seconds = 1000.0

        def monotonic(self) -> float:
            return self.seconds

        def sleep(self, seconds: float) -> None:
            self.seconds += seconds

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock.sleep


@pytest.fixture
def queue(clock: object) -> ScriptedQueue:  # noqa: ARG001
    return ScriptedQueue()


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs" / "sweeps" / "mine"
    folder.mkdir(parents=True)
    (tmp_path / "outputs" / "runs").mkdir()
    return folder


@pytest.fixture
def start(sweep: Path, queue: ScriptedQueue) -> Callable[..., SlurmExecutor]:
    """The executor of a new command."""
    return lambda **options: SlurmExecutor(SlurmOptions(**options), sweep, queue)


@pytest.fixture
def spec_of(tmp_path: Path) -> Callable[[str], RunSpec]:
    return lambda run_id: RunSpec(SETTINGS, "tiny", (), tmp_path / "outputs", run_id)


SpecOf = Callable[[str], RunSpec]
Start = Callable[..., SlurmExecutor]
Clock = Callable[[float], None]


def begin(runs: Path, run_id: str, make_record: Callable[..., RunRecord]) -> None:
    """The folder of a run whose process has gone without recording its end."""
    folder = runs / f"tiny-{run_id}"
    folder.mkdir()
    make_record("running", run_id=run_id).save(folder)


def test_what_is_submitted_together_is_one_batch_and_is_noted(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, sweep: Path
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.submit(spec_of(OTHER))
    assert queue.batches == []
    assert executor.poll(0) == {}
    assert [[job.spec.run_id for job in batch] for batch in queue.batches] == [[ONE, OTHER]]
    noted = [(job.executor, job.job_id, job.run_id) for job in JobsFile(sweep).read()]
    assert noted == [("slurm", "1_0", ONE), ("slurm", "1_1", OTHER)]


def test_more_runs_than_an_array_takes_are_several_arrays(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_ARRAY", 2)
    executor = start()
    for i in range(5):
        executor.submit(spec_of(f"{i:010d}"))
    executor.poll(0)
    assert [len(batch) for batch in queue.batches] == [2, 2, 1]


def test_a_signal_during_a_submission_takes_effect_when_the_jobs_are_noted(
    start: Start,
    queue: ScriptedQueue,
    spec_of: SpecOf,
    sweep: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = queue.submit

    def submit(jobs: Sequence[TrainJob]) -> list[str]:
        # on another thread, as the live table's: Python then interrupts this one all the same
        sender = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))
        sender.start()
        sender.join()
        return real(jobs)

    monkeypatch.setattr(queue, "submit", submit)
    executor = start()
    executor.submit(spec_of(ONE))
    with pytest.raises(Interrupted), stop_on_signals():
        executor.poll(0)
    assert [job.run_id for job in JobsFile(sweep).read()] == [ONE]


def test_a_job_gets_what_it_needs_on_another_machine(
    start: Start,
    queue: ScriptedQueue,
    spec_of: SpecOf,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    executor = start(cpus=3, timeout_min=10, signal_delay_s=60)
    spec = RunSpec(spec_of(ONE).settings, "tiny", (), Path("outputs"), ONE)
    executor.submit(spec)
    executor.poll(0)
    ((job,),) = queue.batches
    assert (job.folder, job.spec.outputs) == (tmp_path, tmp_path / "outputs")
    assert (job.spec.slot, job.spec.time_limit) == (Slot("cpu", 3), 540.0)
    assert executor.capacity() == [Slot("cpu", 3)] * 16
    assert start(gpus=1).capacity()[0].device is None


def test_the_time_to_save_is_at_most_half_of_the_limit() -> None:
    assert signal_delay(SlurmOptions(timeout_min=1, signal_delay_s=120)) == 30


def test_the_next_command_finds_the_jobs_and_submits_none_twice(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, sweep: Path
) -> None:
    first = start()
    first.submit(spec_of(ONE))
    first.poll(0)
    second = start()
    assert second.live() == {ONE}
    second.submit(spec_of(ONE))
    second.poll(0)
    assert len(queue.batches) == 1
    queue.results["1_0"] = WorkerResult("recorded")
    assert second.poll(0) == {ONE: None}
    assert second.live() == set()
    assert JobsFile(sweep).read() == []
    assert "clear 1_0" in queue.calls


def test_a_job_that_ended_between_two_commands_is_no_attempt_of_the_second(
    start: Start,
    queue: ScriptedQueue,
    spec_of: SpecOf,
    sweep: Path,
    make_record: Callable[..., RunRecord],
) -> None:
    JobsFile(sweep).add([Job("slurm", "7", ONE, ""), Job("other", "8", OTHER, "")])
    runs = sweep.parents[1] / "runs"
    begin(runs, ONE, make_record)
    second = start()
    assert second.live() == set()
    assert read_states(runs, [ONE])[ONE].reason == "WorkerDied: its SLURM job 7 was canceled"
    assert [job.job_id for job in JobsFile(sweep).read()] == ["8"]
    second.submit(spec_of(ONE))
    second.poll(0)
    assert len(queue.batches) == 1


def test_a_job_that_leaves_the_queue_without_a_result_is_reported_for_its_run_alone(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, clock: Clock
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.submit(spec_of(OTHER))
    executor.poll(0)
    queue.inside.remove("1_0")
    clock(2)
    assert executor.poll(0) == {}  # its result may still be on its way
    clock(4)
    (end,) = executor.poll(0).items()
    assert end[0] == ONE
    assert isinstance(end[1], RunStoppedError)
    assert str(end[1]) == "its SLURM job 1_0 was canceled"
    assert executor.live() == {OTHER}


def test_a_job_that_is_queued_again_has_not_ended(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, clock: Clock
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.poll(0)
    for is_inside in (False, True, False):
        queue.inside = {"1_0"} if is_inside else set()
        clock(2)
        assert executor.poll(0) == {}
    assert executor.live() == {ONE}


def test_a_run_whose_job_is_lost_while_it_is_held_is_left_to_its_holder(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, clock: Clock, sweep: Path
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.poll(0)
    queue.inside.clear()
    with lock_run(sweep.parents[1] / "runs", ONE):
        clock(2)
        executor.poll(0)
        clock(30)
        assert executor.poll(0) == {}
        clock(90)
        (error,) = executor.poll(0).values()
    assert isinstance(error, RunLockedError)


def test_a_job_killed_at_the_end_of_its_run_has_done_its_work(
    start: Start,
    queue: ScriptedQueue,
    spec_of: SpecOf,
    clock: Clock,
    sweep: Path,
    make_record: Callable[..., RunRecord],
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.poll(0)
    queue.inside.clear()
    folder = sweep.parents[1] / "runs" / f"tiny-{ONE}"
    folder.mkdir()
    make_record("completed", run_id=ONE).save(folder)
    clock(2)
    executor.poll(0)
    clock(4)
    assert executor.poll(0) == {ONE: None}


@pytest.mark.parametrize("kind", ["mistake", "environment", "stopped"])
def test_what_a_job_returns_is_the_reason(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, kind: str
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.poll(0)
    queue.results["1_0"] = WorkerResult(kind, message="so it is")  # type: ignore[arg-type]
    assert str(executor.poll(0)[ONE]) == "so it is"
    assert "clear 1_0" not in queue.calls  # its log may say more


def test_a_queue_that_is_silent_for_a_while_ends_nothing(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf, clock: Clock
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.poll(0)
    queue.inside.clear()
    queue.is_silent = True
    clock(500)
    assert executor.poll(0) == {}
    clock(200)
    with pytest.raises(EnvironmentFailure, match="SLURM does not answer"):
        executor.poll(0)
    with pytest.raises(EnvironmentFailure, match="SLURM does not answer"):
        start().live()


def test_the_queue_is_asked_less_often_the_longer_nothing_happens(
    start: Start, queue: ScriptedQueue, spec_of: SpecOf
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.poll(3600)
    assert 100 < queue.calls.count("queued") < 200


def test_what_stays_in_the_queue_is_said_with_how_to_cancel_it(
    start: Start, spec_of: SpecOf
) -> None:
    executor = start()
    assert executor.left_behind() == []
    executor.submit(spec_of(ONE))
    executor.poll(0)
    assert executor.left_behind() == ["queued   1 job left to SLURM; to cancel: scancel 1_0"]


@pytest.mark.parametrize("now", [True, False])
def test_canceled_jobs_are_forgotten(
    start: Start,
    queue: ScriptedQueue,
    spec_of: SpecOf,
    sweep: Path,
    now: bool,
) -> None:
    executor = start()
    executor.submit(spec_of(ONE))
    executor.poll(0)
    executor.submit(spec_of(OTHER))
    executor.cancel(now=now)
    calls = [call for call in queue.calls if call != "queued"]
    assert calls == (["kill 1_0"] if now else ["stop 1_0", "kill 1_0"])
    assert len(queue.batches) == 1
    assert executor.live() == set()
    assert JobsFile(sweep).read() == []
