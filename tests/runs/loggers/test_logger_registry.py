from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.runs.execute import execute
from cifar_exp.runs.loggers import csv, registry
from cifar_exp.runs.recorder import Recorder
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import Row, RunDirectory

pytestmark = pytest.mark.slow  # trains whole runs

Make = Callable[..., RunSpec]


class Journal:
    """A logger that writes down its calls; it raises an error in the one that `fails` names."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[str] = []
        self.fails = fails

    def start(self, record: RunRecord, rows: Sequence[Row]) -> None:
        epochs = [row["epoch"] for row in rows]
        self._note("start", f"{record.status} after {epochs}")

    def epoch(self, row: Row) -> None:
        self._note("epoch", f"{row['epoch']}")

    def end(self, record: RunRecord) -> None:
        self._note("end", record.status)

    def _note(self, name: str, text: str) -> None:
        self.calls.append(f"{name} {text}")
        if name == self.fails:
            raise RuntimeError("the server is gone")


@pytest.fixture
def add_logger(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Journal], None]:
    """Adds a logger for the time of a test."""

    def add(name: str, logger: Journal) -> None:
        def build(settings: Settings, directory: RunDirectory) -> Journal:
            assert settings.trainer.epochs == 3
            assert directory.path.exists() is False or directory.path.is_dir()
            return logger

        monkeypatch.setitem(registry.EXTERNAL, name, build)

    return add


def test_a_logger_gets_the_start_every_epoch_and_the_end_of_each_process(
    make_spec: Make, add_logger: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal()
    add_logger("journal", journal)
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "test", lambda _: 1 / 0)
        execute(make_spec())
    assert journal.calls == [
        "start running after []",
        "epoch 1",
        "epoch 2",
        "epoch 3",
        "end failed",
    ]
    journal.calls.clear()
    execute(make_spec())
    assert journal.calls == ["start running after [1, 2, 3]", "end completed"]


@pytest.mark.parametrize(
    ("fails", "calls"), [("start", 1), ("epoch", 2), ("end", 5)], ids=["start", "epoch", "end"]
)
def test_a_logger_that_fails_is_dropped_with_a_note_and_the_run_completes(
    make_spec: Make,
    add_logger: Callable,
    capsys: pytest.CaptureFixture[str],
    fails: str,
    calls: int,
) -> None:
    broken, journal = Journal(fails), Journal()
    add_logger("broken", broken)
    add_logger("journal", journal)
    done = execute(make_spec("trainer.progress=plain"))
    assert done.record.status == "completed"
    note = "note     logger broken failed and is off: RuntimeError: the server is gone"
    assert capsys.readouterr().out.splitlines().count(note) == 1
    assert note in (done.folder / "train.log").read_text().splitlines()
    assert len(broken.calls) == calls
    assert len(journal.calls) == 5


def test_a_logger_that_cannot_be_built_is_dropped_with_a_note(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry.EXTERNAL, "broken", lambda *_: 1 / 0)
    done = execute(make_spec("trainer.progress=plain"))
    assert done.record.status == "completed"
    printed = capsys.readouterr().out
    assert "logger broken failed and is off: ZeroDivisionError: division by zero" in printed


def test_a_row_that_a_logger_changes_changes_no_other(
    make_spec: Make, add_logger: Callable
) -> None:
    class Careless(Journal):
        def epoch(self, row: Row) -> None:
            row.clear()

    add_logger("careless", Careless())
    done = execute(make_spec())
    assert done.record.final is not None
    assert done.record.final.epoch == 3
    last = (done.folder / "metrics.csv").read_text().splitlines()[-1]
    assert last.startswith("3,18,")


def test_metrics_csv_that_cannot_be_written_fails_the_run(
    make_spec: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("metrics.csv cannot be written")

    spec = replace(make_spec(), outputs=tmp_path / "other")
    monkeypatch.setattr(csv.CsvLogger, "epoch", refuse)
    failed = execute(spec).record
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.message == "metrics.csv cannot be written"
