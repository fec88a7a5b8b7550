"""A run that another machine takes over while it is trained here."""

from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.lock import RunTakenOverError, lock_holder
from cifar_exp.training.trainer import EpochMetrics, Trainer

pytestmark = pytest.mark.slow  # trains whole runs

TakeOver = Callable[[Path, str], Context]


def files(runs: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}


@pytest.mark.parametrize("moment", ["in an epoch", "at the end"])
def test_a_run_that_was_taken_over_stops_with_a_sentence_and_changes_nothing(
    make_spec: Callable[..., RunSpec],
    monkeypatch: pytest.MonkeyPatch,
    take_over: TakeOver,
    moment: str,
) -> None:
    spec = make_spec()
    real, seen = Trainer.fit, {}

    def take() -> None:
        (home,) = spec.runs.glob("*-*")
        take_over(spec.runs, home.name[-10:])
        seen.update(files(spec.runs))

    def fit(trainer: Trainer, *arguments: Any) -> Iterator[EpochMetrics]:
        for metrics in real(trainer, *arguments):
            if moment == "in an epoch" and metrics.epoch == 2:
                take()
            yield metrics
        if moment == "at the end":
            take()

    monkeypatch.setattr(Trainer, "fit", fit)
    with pytest.raises(RunTakenOverError, match=r"^run \w+ was taken over by process \d+ on "):
        execute(spec)
    assert seen
    assert files(spec.runs) == seen


def test_a_run_of_a_machine_that_died_is_continued_once_it_counts_as_dead(
    make_spec: Callable[..., RunSpec],
    monkeypatch: pytest.MonkeyPatch,
    take_over: TakeOver,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("cifar_exp.storage.liveness.RENEW_SECONDS", 0.01)
    monkeypatch.setattr("cifar_exp.storage.liveness.LEASE_SECONDS", 0.02)
    monkeypatch.setattr("cifar_exp.storage.lock.LOOK_SECONDS", 0.01)
    spec = make_spec("trainer.epochs=1", "trainer.progress=plain")
    run_id = execute(spec).record.run_id
    spec = make_spec("trainer.epochs=1", "trainer.progress=plain", "rerun=true")
    monkeypatch.setattr("cifar_exp.storage.liveness.RENEW_SECONDS", 1000.0)  # it is frozen
    take_over(spec.runs, run_id)
    monkeypatch.setattr("cifar_exp.storage.liveness.RENEW_SECONDS", 0.01)
    holder = lock_holder(spec.runs, run_id)
    assert holder is not None
    assert execute(spec).record.status == "completed"
    assert (
        f"waiting  process {holder.pid} on {holder.host} holds the run" in capsys.readouterr().out
    )
