"""Reading metrics.csv and extra.csv, whole lines only."""

import os
from pathlib import Path

import pytest

from cifar_exp.storage.atomic import write_csv
from cifar_exp.storage.metrics import EXTRA_COLUMNS, METRICS_COLUMNS, last_row, read_epoch_table
from cifar_exp.storage.run_folder import RunDirectory


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    columns = dict.fromkeys([*METRICS_COLUMNS, *EXTRA_COLUMNS])
    RunDirectory(tmp_path).write_history([{**columns, "epoch": 1, "lr": 0.5}])
    metrics, extra = (read_epoch_table(tmp_path / f"{name}.csv") for name in ("metrics", "extra"))
    assert metrics is not None
    assert extra is not None
    assert (metrics.columns, extra.columns) == (METRICS_COLUMNS, EXTRA_COLUMNS)
    assert (metrics.lines, extra.lines) == (("1,,0.5,,,,,,,,",), ("1,,",))
    assert metrics.problems == extra.problems == ()
    assert last_row(tmp_path) == {"epoch": 1.0, "lr": 0.5}


def test_a_torn_last_line_is_ignored_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    write_csv(path, ["epoch", "lr"], [{"epoch": i, "lr": 0.125} for i in (1, 2, 3)])
    path.write_text(path.read_text()[:-3])
    table = read_epoch_table(path)
    assert table is not None
    assert table.lines == ("1,0.125", "2,0.125")
    assert table.problems == ("metrics.csv has a torn last line, which is ignored",)
    assert last_row(tmp_path) == {"epoch": 2.0, "lr": 0.125}


def test_lines_of_another_length_are_ignored_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "extra.csv"
    path.write_text("epoch,a\n1,2\n2\n3,4,5\n4,6\n")
    table = read_epoch_table(path)
    assert table is not None
    assert table.lines == ("1,2", "4,6")
    assert table.problems == ("extra.csv has 2 damaged lines, which are ignored",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"step,loss\n1,2\n", "metrics.csv has no column epoch"),
        (b"", "metrics.csv has no column epoch"),
        (b"\xff\xfe\xfa", "metrics.csv cannot be read: not UTF-8 text"),
    ],
)
def test_a_file_that_is_not_a_table_has_a_reason(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "metrics.csv").write_bytes(content)
    table = read_epoch_table(tmp_path / "metrics.csv")
    assert table is not None
    assert (table.lines, table.problems) == ((), (problem,))
    assert last_row(tmp_path) is None


def test_a_pipe_in_place_of_a_table_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "metrics.csv")
    table = read_epoch_table(tmp_path / "metrics.csv")
    assert table is not None
    assert table.problems == ("metrics.csv cannot be read: not a regular file",)
    assert last_row(tmp_path) is None


def test_a_missing_table_is_none(tmp_path: Path) -> None:
    assert read_epoch_table(tmp_path / "metrics.csv") is None


@pytest.mark.parametrize("line", ["1,one", "1,2,3", ",2"])
def test_a_damaged_only_line_is_not_a_last_row(tmp_path: Path, line: str) -> None:
    (tmp_path / "metrics.csv").write_text(f"epoch,step\n{line}\n")
    assert last_row(tmp_path) is None
