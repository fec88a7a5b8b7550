from collections.abc import Callable

import pytest

from cifar_exp.runs.console import Console
from cifar_exp.runs.loggers.console import ConsoleLogger, epoch_line
from cifar_exp.storage.record import RunRecord

ROW: dict[str, float | None] = {
    "epoch": 3,
    "train_loss": 2.4567,
    "train_accuracy": 0.5,
    "val_accuracy": 0.4321,
    "images_per_second": 1234.5,
}


def test_an_epoch_is_one_line_with_its_metrics() -> None:
    assert epoch_line(ROW, 8, 0.44, 130) == (
        "epoch   3/8  loss 2.457  train 50.00 %  val 43.21 %  best 44.00 %  1,234 images/s  "
        "2 min left"
    )


def test_metrics_that_do_not_exist_are_left_out() -> None:
    row = {**ROW, "train_accuracy": None, "val_accuracy": None}
    assert epoch_line(row, 8, 0.0, 5) == "epoch   3/8  loss 2.457  1,234 images/s  5 s left"


def test_the_best_accuracy_counts_the_epochs_of_earlier_processes(
    make_record: Callable[..., RunRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    logger = ConsoleLogger(Console("plain"), lambda: 130.0)
    logger.start(make_record(epochs=8), [{**ROW, "val_accuracy": 0.44}])
    logger.epoch(ROW)
    logger.epoch({**ROW, "val_accuracy": 0.5})
    first, second = capsys.readouterr().out.splitlines()
    assert "  val 43.21 %  best 44.00 %  " in first
    assert "  val 50.00 %  best 50.00 %  " in second
    assert first.startswith("epoch   3/8  ")
    assert first.endswith("  2 min left")
