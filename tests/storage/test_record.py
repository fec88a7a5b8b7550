"""Reading run.json, and the reasons why a file cannot be used."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.storage.reading import UnreadableError
from cifar_exp.storage.record import RunRecord, read_record

MakeRecord = Callable[..., RunRecord]


@pytest.fixture
def folder(tmp_path: Path, make_record: MakeRecord) -> Path:
    """The folder of a completed run."""
    make_record(run_id="12e4567890", final=0.25).save(tmp_path)
    return tmp_path


def reason(folder: Path) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_record(folder)
    return str(caught.value)


def change(folder: Path, **values: Any) -> None:
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_record_is_read_as_it_was_written(folder: Path) -> None:
    record = read_record(folder)
    assert (record.run_id, record.seed, record.metric) == ("12e4567890", 0, 0.25)
    assert RunRecord.load(folder) == record


def test_a_folder_without_a_record_says_so(tmp_path: Path) -> None:
    assert reason(tmp_path) == "has no run.json"
    assert RunRecord.load(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"run_id": "012', "run.json is damaged: not valid JSON"),
        ('{"run_id": "\\ud800"}', "run.json is damaged: not valid JSON"),  # no text can hold it
        ("[" * 100_000, "run.json is damaged: not valid JSON"),
        ("[1, 2]", "run.json is not a run of cifar_exp"),
        ('{"name": "some other project", "loss": 1}', "run.json is not a run of cifar_exp"),
    ],
    ids=["torn", "lone surrogate", "nested too deeply", "list", "other project"],
)
def test_damaged_and_foreign_records_have_different_reasons(
    tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "run.json").write_text(content)
    assert reason(tmp_path) == expected
    assert RunRecord.load(tmp_path) is None


def test_a_lone_surrogate_in_a_setting_is_damage(folder: Path) -> None:
    change(folder, params={"trainer.epochs": 1, "x.y": "\ud800"})
    assert reason(folder) == "run.json is damaged: not valid JSON"


def test_a_pipe_in_place_of_a_record_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.json")
    assert reason(tmp_path) == "run.json cannot be read: not a regular file"


def test_a_link_that_leads_to_itself_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert reason(tmp_path / "loop") == (
        "run.json cannot be read: Too many levels of symbolic links"
    )


def test_a_newer_schema_is_named_in_the_reason_but_still_loaded(folder: Path) -> None:
    change(folder, schema=2)
    assert reason(folder) == (
        "run.json was written by a newer cifar_exp (schema 2; this one reads 1)"
    )
    loaded = RunRecord.load(folder)
    assert loaded is not None
    assert loaded.status == "completed"  # a run that is done is not trained over it


def test_an_older_schema_is_read_if_it_is_valid(folder: Path) -> None:
    change(folder, schema=0)
    assert read_record(folder).seed == 0
    change(folder, dataset={"name": "shapes"})
    assert reason(folder) == (
        "run.json is not valid (schema 0, dataset.fingerprint: Field required)"
    )
