"""Signals in a job that submitit started: its own handler of SIGUSR2 queues the job again."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_exp.data.batches import Batch
from cifar_exp.errors import Interrupted
from cifar_exp.runs.execute import execute
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.training.trainer import Trainer

REQUEUED = 255


def send(*signums: signal.Signals) -> None:
    for signum in signums:
        os.kill(os.getpid(), signum)


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """As in a job of submitit: handlers of both signals, which note what they are called with."""
    called: list[str] = []

    def requeue(signum: int, _frame: object) -> None:
        called.append(signal.Signals(signum).name)
        raise SystemExit(REQUEUED)

    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGUSR2, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, lambda *_: called.append("bypassed"))
    signal.signal(signal.SIGUSR2, requeue)
    yield called
    for signum, handler in before.items():
        signal.signal(signum, handler)


def test_sigterm_only_asks_for_a_save(handled: list[str]) -> None:
    with stop_on_signals() as stop, stop.deferred():
        send(signal.SIGTERM, signal.SIGTERM)
        assert stop()
        assert stop.goes_on()
        assert not stop()
    assert handled == []


@pytest.mark.parametrize("first", [(), (signal.SIGTERM,), (signal.SIGUSR2,)], ids=str)
def test_sigusr2_stops_the_run_and_then_queues_the_job_again(
    handled: list[str], first: tuple[signal.Signals, ...]
) -> None:
    with pytest.raises(SystemExit) as caught, stop_on_signals() as stop, stop.deferred():  # noqa: PT012
        send(*first, signal.SIGUSR2)
        assert stop()
        assert not stop.goes_on()
        assert handled == []  # not before the run is saved
    assert caught.value.code == REQUEUED
    assert handled == ["SIGUSR2"]


def test_a_block_in_another_one_queues_the_job_once(handled: list[str]) -> None:
    with pytest.raises(SystemExit), stop_on_signals(), stop_on_signals() as stop, stop.deferred():
        send(signal.SIGUSR2)
    assert handled == ["SIGUSR2"]


def test_the_time_limit_of_a_run_queues_its_job_again(handled: list[str]) -> None:
    with pytest.raises(SystemExit), stop_on_signals(time_limit=0.01) as stop, stop.deferred():  # noqa: PT012
        signal.pause()
        send(signal.SIGUSR2)  # the cluster's own warning, at about the same time
    assert handled == ["SIGUSR2"]


def test_ctrl_c_in_a_job_does_not_queue_it_again(handled: list[str]) -> None:
    with pytest.raises(Interrupted), stop_on_signals() as stop, stop.deferred():
        send(signal.SIGINT)
    assert handled == []


def test_outside_of_a_job_a_handler_of_sigusr2_is_left_alone(
    handled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUBMITIT_EXECUTOR")
    with stop_on_signals(), pytest.raises(SystemExit):
        send(signal.SIGUSR2)
    assert handled == ["SIGUSR2"]


@pytest.mark.slow
@pytest.mark.parametrize("signums", [("SIGUSR2",), ("SIGTERM", "SIGUSR2")], ids=str)
def test_a_job_that_makes_way_in_an_epoch_loses_no_step(
    handled: list[str],
    make_spec: Callable[..., RunSpec],
    monkeypatch: pytest.MonkeyPatch,
    signums: tuple[str, ...],
) -> None:
    spec, steps = make_spec("trainer.epochs=2"), []
    real = Trainer._train_step

    def train_step(each: Trainer, batch: Batch) -> None:
        real(each, batch)
        steps.append(each.step)
        if len(steps) in after:
            send(after[len(steps)])

    after = {8 + i: signal.Signals[name] for i, name in enumerate(signums)}
    monkeypatch.setattr(Trainer, "_train_step", train_step)
    with pytest.raises(SystemExit):
        execute(spec)
    assert handled == ["SIGUSR2"]
    (folder,) = spec.runs.glob("tiny-*")
    assert RunRecord.load(folder).status == "interrupted"
    assert execute(spec).record.status == "completed"
    assert steps == list(range(12))


@pytest.mark.slow
def test_after_sigterm_alone_the_run_is_saved_and_completes(
    handled: list[str],
    make_spec: Callable[..., RunSpec],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    spec, saved = make_spec("trainer.epochs=2", "model.dropout=0.2"), []
    undisturbed = execute(RunSpec(spec.settings, spec.label, spec.overrides, tmp_path / "other"))
    real = Trainer._train_step

    def train_step(each: Trainer, batch: Batch) -> None:
        if each.step == 3:
            (folder,) = spec.runs.glob("tiny-*")
            saved.append((folder / "checkpoints" / "last.pt").exists())
        real(each, batch)
        if each.step == 2:
            send(signal.SIGTERM)

    monkeypatch.setattr(Trainer, "_train_step", train_step)
    result = execute(spec)
    assert saved == [True]
    assert handled == []
    assert result.record.status == "completed"
    assert result.record.test == undisturbed.record.test
