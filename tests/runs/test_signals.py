import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.data.batches import Batch
from cifar_exp.errors import Interrupted
from cifar_exp.runs.execute import execute
from cifar_exp.runs.recorder import Recorder
from cifar_exp.runs.signals import stop_on_signals
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.training import evaluation, trainer
from cifar_exp.training.trainer import Trainer

pytestmark = pytest.mark.slow  # runs that are stopped and resumed

LONG = ("trainer.epochs=4", "model.dropout=0.2")


def rows(folder: Path) -> list[list[str]]:
    lines = (folder / "metrics.csv").read_text().splitlines()
    return [line.split(",")[:8] for line in lines]


def interrupted(spec: RunSpec) -> tuple[RunRecord, Path]:
    with pytest.raises(Interrupted) as caught:
        execute(spec)
    assert caught.value.exit_code == 128 + signal.SIGTERM
    folder = next(path for path in spec.runs.iterdir() if path.name[0] != ".")
    record = RunRecord.load(folder)
    assert record is not None
    return record, folder


def undisturbed(spec: RunSpec, tmp_path: Path) -> list[list[str]]:
    other = RunSpec(spec.settings, spec.label, spec.overrides, tmp_path / "other")
    return rows(execute(other).folder)


@pytest.mark.parametrize("step", [1, 5, 6, 7, 20])
def test_stopped_after_a_step_the_run_continues_from_that_step(
    make_spec: Callable[..., RunSpec],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    spec = make_spec(*LONG)
    expected = undisturbed(spec, tmp_path)
    real, steps = Trainer._train_step, []

    def train_step(each: Trainer, batch: Batch) -> None:
        real(each, batch)
        steps.append(each.step)
        if len(steps) == step:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Trainer, "_train_step", train_step)
    record, _ = interrupted(spec)
    assert record.status == "interrupted"
    assert rows(execute(spec).folder) == expected
    assert steps == list(range(24))  # no step was made twice


def test_stopped_while_validating_the_epoch_is_kept(
    make_spec: Callable[..., RunSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(*LONG)
    expected = undisturbed(spec, tmp_path)
    real, calls = evaluation.evaluate, []

    def evaluate(*arguments: Any) -> object:
        calls.append(arguments)
        if len(calls) == 3:  # val of the second epoch
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*arguments)

    monkeypatch.setattr(trainer, "evaluate", evaluate)
    _, folder = interrupted(spec)
    assert len(rows(folder)) == 1 + 1
    trained: list[None] = []
    real_step = Trainer._train_step
    monkeypatch.setattr(
        Trainer, "_train_step", lambda each, batch: trained.append(real_step(each, batch))
    )
    assert rows(execute(spec).folder) == expected
    assert len(trained) == 2 * 6  # the second epoch is only validated


def test_stopped_while_testing_nothing_is_trained_again(
    make_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(*LONG)
    monkeypatch.setattr(Recorder, "test", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    record, _ = interrupted(spec)
    assert record.test is None
    monkeypatch.undo()
    monkeypatch.setattr(Trainer, "_train_step", lambda *_: pytest.fail("trained again"))
    assert execute(spec).record.status == "completed"


def test_a_second_signal_ends_at_once() -> None:
    with stop_on_signals() as stop, pytest.raises(KeyboardInterrupt), stop.deferred():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("signals", [("SIGHUP", "SIGHUP"), ("SIGHUP", "SIGTERM")], ids=str)
def test_a_terminal_that_closes_is_one_request_however_many_signals_it_sends(
    signals: tuple[str, ...],
) -> None:
    with pytest.raises(Interrupted) as caught, stop_on_signals() as stop, stop.deferred():  # noqa: PT012
        for name in signals:
            os.kill(os.getpid(), signal.Signals[name])
        assert stop()
    assert caught.value.exit_code == 129


def test_under_nohup_a_terminal_that_closes_stops_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_whose_terminal_closes_is_saved(
    make_spec: Callable[..., RunSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec("trainer.epochs=2")
    expected = undisturbed(spec, tmp_path)
    real, steps = Trainer._train_step, []

    def train_step(each: Trainer, batch: Batch) -> None:
        real(each, batch)
        steps.append(each.step)
        if len(steps) == 4:
            os.kill(os.getpid(), signal.SIGHUP)

    monkeypatch.setattr(Trainer, "_train_step", train_step)
    with pytest.raises(Interrupted, match="SIGHUP"):
        execute(spec)
    assert rows(execute(spec).folder) == expected
    assert steps == list(range(12))


def test_outside_a_run_signals_do_what_they_did_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
