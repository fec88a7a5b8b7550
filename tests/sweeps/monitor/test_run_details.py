from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.monitor.run_details import detail_lines

METRICS = """\
epoch,train_accuracy,val_accuracy,elapsed_seconds
1,0.20,0.25,60
2,0.40,0.50,120
3,0.60,0.45,181
"""


@pytest.fixture
def state(tmp_path: Path, make_record: Callable[..., RunRecord]) -> RunState:
    """A completed run of three epochs, the second of which was the best."""
    (tmp_path / "overrides.yaml").write_text("- model=tiny\n- seed=1\n")
    (tmp_path / "metrics.csv").write_text(METRICS)
    record = make_record(epochs=3, final=0.45, best=0.5, test=0.4, threads=2)
    assert record.best is not None
    record.best = record.best.model_copy(update={"epoch": 2})
    row = {"epoch": 3.0, "val_accuracy": 0.45, "elapsed_seconds": 181.0}
    return RunState("0123456789", tmp_path, record, row=row)


def test_a_run_shows_its_settings_its_best_epoch_its_time_and_its_curve(state: RunState) -> None:
    *lines, chart = detail_lines(state, is_ascii=True)
    assert lines == [
        f"completed   {state.name}  epoch 3/3  val 45.00 %",
        "set      model=tiny seed=1",
        "best     50.00 % on val, after epoch 2",
        "test     40.00 %, top-5 100.00 %",
        "time     3 min for 3 epochs (cpu, 2 threads)",
        "curve    accuracy on val by epoch",
    ]
    assert chart.count("*") == 3


def test_without_validation_images_the_curve_is_that_of_training(
    state: RunState, tmp_path: Path
) -> None:
    text = METRICS.replace(",0.25,", ",,").replace(",0.50,", ",,").replace(",0.45,", ",,")
    (tmp_path / "metrics.csv").write_text(text)
    assert "curve    accuracy on train by epoch" in list(detail_lines(state, is_ascii=True))


@pytest.mark.parametrize(
    "metrics",
    [None, "", "epoch,val_accuracy\n1,0.5\n", "epoch,val_accuracy\n1,x\n2,y\n", "a,b\n1,2\n3,4\n"],
)
def test_without_two_epochs_there_is_no_curve(
    state: RunState, tmp_path: Path, metrics: str | None
) -> None:
    (tmp_path / "metrics.csv").unlink()
    if metrics is not None:
        (tmp_path / "metrics.csv").write_text(metrics)
    assert not any(line.startswith("curve") for line in detail_lines(state, is_ascii=True))


@pytest.mark.parametrize("overrides", [None, "- [", "text", "- x"])
def test_damaged_overrides_do_not_hide_the_rest(
    state: RunState, tmp_path: Path, overrides: str | None
) -> None:
    (tmp_path / "overrides.yaml").unlink()
    if overrides is not None:
        (tmp_path / "overrides.yaml").write_text(overrides)
    assert "best     50.00 % on val, after epoch 2" in list(detail_lines(state, is_ascii=True))


def test_a_run_that_has_not_begun_is_one_line() -> None:
    assert list(detail_lines(RunState("0123456789"), is_ascii=True)) == [
        "pending     0123456789  epoch 0/?  val -"
    ]


def test_a_run_without_a_record_has_no_result(state: RunState) -> None:
    lines = list(detail_lines(replace(state, record=None, row=None), is_ascii=True))
    assert [line.split()[0] for line in lines[:3]] == ["pending", "set", "curve"]
