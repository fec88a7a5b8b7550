"""history.csv is what pandas would have written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.page import history_csv
from cifar_exp.analysis.page.history_csv import write_history
from cifar_exp.storage.metrics import METRICS_COLUMNS


def history_of(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    values = 10.0 ** random.uniform(-9, 19, (rows, len(METRICS_COLUMNS)))
    frame = pd.DataFrame(values, columns=list(METRICS_COLUMNS))
    frame.insert(0, "run_id", random.choice(["0123456789", "12e4567890", 'a "b", c'], rows))
    return frame.assign(epoch=np.arange(rows, dtype=float), step=np.arange(rows) * 7.0, extra=0.5)


def expected(history: pd.DataFrame) -> str:
    whole = history.astype({"epoch": "Int64", "step": "Int64"})
    return str(whole.to_csv(index=False))


def test_numbers_of_any_size_are_written_as_pandas_writes_them(tmp_path: Path) -> None:
    history = history_of(300)
    write_history(tmp_path / "history.csv", history)
    assert (tmp_path / "history.csv").read_text() == expected(history)


def test_special_numbers_are_written_as_pandas_writes_them(tmp_path: Path) -> None:
    history = history_of(9)
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-4, 9e-5, 1e16, -5e-324]
    history["lr"] = history["val_loss"] = special
    history.loc[2, "step"] = np.nan
    write_history(tmp_path / "history.csv", history)
    assert (tmp_path / "history.csv").read_text() == expected(history)


def test_a_step_that_is_not_finite_is_an_empty_cell(tmp_path: Path) -> None:
    history = history_of(2).assign(step=[np.inf, 2.0])
    write_history(tmp_path / "history.csv", history)
    steps = pd.read_csv(tmp_path / "history.csv", dtype=str)["step"]
    assert steps.isna().tolist() == [True, False]


def test_a_history_longer_than_a_part_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = history_of(23)
    monkeypatch.setattr(history_csv, "ROWS", 10)
    write_history(tmp_path / "history.csv", history)
    assert (tmp_path / "history.csv").read_text() == expected(history)


def test_columns_of_extra_csv_come_last_and_no_rows_leave_the_header(tmp_path: Path) -> None:
    history = history_of(1)[["extra", "run_id", *METRICS_COLUMNS]]
    write_history(tmp_path / "history.csv", history.iloc[:0])
    header = ",".join(["run_id", *METRICS_COLUMNS, "extra"])
    assert (tmp_path / "history.csv").read_text() == header + "\n"
