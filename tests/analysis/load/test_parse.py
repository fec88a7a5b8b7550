"""What is read of a folder, and what is said of files that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis.load.parse import (
    UnreadableError,
    read_overrides,
    read_record,
    read_table,
    signature,
)


def reason(folder: Path) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_record(folder)
    return str(caught.value)


def change(folder: Path, **values: Any) -> None:
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_record_is_read_as_it_was_written(outputs: Any) -> None:
    record = read_record(outputs.run(seed=3, val=0.25, run_id="12e4567890"))
    assert (record.run_id, record.seed, record.metric) == ("12e4567890", 3, 0.25)


def test_a_folder_without_a_record_says_so(tmp_path: Path) -> None:
    assert reason(tmp_path) == "has no run.json"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"run_id": "012', "run.json is damaged: it is no JSON"),
        ("[1, 2]", "run.json is not a run of cifar_exp"),
        ('{"name": "some other project", "loss": 1}', "run.json is not a run of cifar_exp"),
    ],
)
def test_damaged_and_foreign_records_are_told_apart(
    tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "run.json").write_text(content)
    assert reason(tmp_path) == told


def test_a_newer_schema_is_named(outputs: Any) -> None:
    folder = outputs.run()
    change(folder, schema=2)
    assert reason(folder) == (
        "run.json was written by a newer cifar_exp (schema 2; this one reads 1)"
    )


def test_an_older_schema_is_read_where_it_fits_and_told_where_it_does_not(outputs: Any) -> None:
    folder = outputs.run()
    change(folder, schema=0)
    assert read_record(folder).seed == 0
    change(folder, dataset={"name": "shapes"})
    assert reason(folder) == "run.json does not fit (schema 0, dataset.fingerprint: Field required)"


def test_a_torn_last_line_is_left_out_and_told(outputs: Any) -> None:
    path = outputs.run(epochs=3) / "metrics.csv"
    path.write_text(path.read_text()[:-5])
    table = read_table(path)
    assert table is not None
    assert (len(table.lines), table.complaints) == (
        2,
        ("without the torn last line of metrics.csv",),
    )


def test_lines_of_another_width_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "extra.csv"
    path.write_text("epoch,a\n1,2\n2\n3,4,5\n4,6\n")
    table = read_table(path)
    assert table is not None
    assert (table.lines, table.complaints) == (
        ("1,2", "4,6"),
        ("without 2 damaged lines of extra.csv",),
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"step,loss\n1,2\n", "metrics.csv has no column epoch"),
        (b"", "metrics.csv has no column epoch"),
        (b"\xff\xfe\xfa", "metrics.csv cannot be read"),
    ],
)
def test_a_table_that_is_none_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "metrics.csv").write_bytes(content)
    table = read_table(tmp_path / "metrics.csv")
    assert table is not None
    assert (table.lines, table.complaints) == ((), (told,))


def test_a_table_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_table(tmp_path / "metrics.csv") is None


def test_what_was_asked_is_read_as_text_and_damage_is_nothing(outputs: Any) -> None:
    folder = outputs.run(overrides=["model=wide", "seed=1"])
    assert read_overrides(folder) == ["model=wide", "seed=1"]
    (folder / "overrides.yaml").write_text("]: torn")
    assert read_overrides(folder) == ()
    (folder / "overrides.yaml").unlink()
    assert read_overrides(folder) == ()


@pytest.mark.parametrize("name", ["run.json", "metrics.csv", "extra.csv"])
def test_the_signature_changes_with_every_file_that_is_read(outputs: Any, name: str) -> None:
    folder = outputs.run()
    before = signature(folder)
    assert signature(folder) == before
    (folder / name).write_text((folder / name).read_text() + "\n")
    assert signature(folder) != before
    (folder / name).unlink()
    assert signature(folder) != before
