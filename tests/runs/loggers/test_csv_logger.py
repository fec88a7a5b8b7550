from collections.abc import Callable
from pathlib import Path

from cifar_exp.runs.loggers.csv import CsvLogger
from cifar_exp.storage.metrics import EXTRA_COLUMNS, METRICS_COLUMNS
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import Row, RunDirectory


def row(epoch: int, **more: float) -> Row:
    return {**dict.fromkeys((*METRICS_COLUMNS, *EXTRA_COLUMNS), 0.5), "epoch": epoch, **more}


def lines(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text().splitlines()


def test_a_new_run_has_no_file_before_its_first_epoch(
    make_record: Callable[..., RunRecord], tmp_path: Path
) -> None:
    logger = CsvLogger(RunDirectory(tmp_path))
    logger.start(make_record(), [])
    assert not list(tmp_path.iterdir())
    logger.epoch(row(1))
    assert len(lines(tmp_path, "metrics.csv")) == len(lines(tmp_path, "extra.csv")) == 2


def test_a_resumed_run_writes_the_epochs_that_its_checkpoint_has(
    make_record: Callable[..., RunRecord], tmp_path: Path
) -> None:
    (tmp_path / "metrics.csv").write_text("from a process that was killed")
    logger = CsvLogger(RunDirectory(tmp_path))
    logger.start(make_record(), [row(1), row(2)])
    assert [line[:2] for line in lines(tmp_path, "metrics.csv")[1:]] == ["1,", "2,"]
    logger.epoch(row(3))
    assert [line[:2] for line in lines(tmp_path, "metrics.csv")[1:]] == ["1,", "2,", "3,"]


def test_columns_beyond_those_of_metrics_csv_go_to_extra_csv(tmp_path: Path) -> None:
    CsvLogger(RunDirectory(tmp_path)).epoch(row(1, gradient_norm=7.0))
    assert lines(tmp_path, "metrics.csv")[0] == ",".join(METRICS_COLUMNS)
    assert lines(tmp_path, "extra.csv") == [
        "epoch,train_eval_loss,train_eval_accuracy,gradient_norm",
        "1,0.5,0.5,7.0",
    ]
