import csv
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cifar_exp.storage.atomic import write_csv
from cifar_exp.storage.lease import LockHolder
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor import live as watching
from cifar_exp.sweeps.monitor.live import Display, live_view
from cifar_exp.sweeps.monitor.snapshot import Snapshot, SnapshotReader

A, B, C = "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"
MakeRecord = Callable[..., RunRecord]
MakeState = Callable[..., RunState]
Show = Callable[..., list[str]]


@pytest.fixture
def state_of(make_record: MakeRecord) -> MakeState:
    """The state of a run with this status."""

    def state(run_id: str, status: str, **more: Any) -> RunState:
        if status == "pending":
            return RunState(run_id)
        record = make_record(status, run_id=run_id, **more)
        holder = LockHolder("there", 7) if status == "running" else None
        return RunState(run_id, Path(f"runs/tiny-{run_id}"), record, holder)

    return state


def snapshot_of(*states: RunState) -> Snapshot:
    rows = [SweepRow(s.run_id, "", "", {"model.width": str(i)}) for i, s in enumerate(states)]
    return Snapshot("mine", rows, {state.run_id: state for state in states}, None)


@pytest.fixture
def show() -> Show:
    """What is printed for a series of snapshots if nothing can be redrawn."""

    def show_all(*snapshots: Snapshot, is_silent: bool = False) -> list[str]:
        stream = StringIO()
        console = Console(file=stream, soft_wrap=True, force_terminal=False)
        display = Display(console, "none" if is_silent else "auto")
        display.begin()
        for snapshot in snapshots:
            display.show(snapshot)
        display.end()
        return stream.getvalue().splitlines()

    return show_all


@pytest.fixture
def done(state_of: MakeState) -> RunState:
    """A completed run."""
    return state_of(C, "completed", final=0.25)


@pytest.fixture
def pending(state_of: MakeState, done: RunState) -> Snapshot:
    """Two pending runs, and the completed one."""
    return snapshot_of(state_of(A, "pending"), state_of(B, "pending"), done)


def test_at_first_only_the_headline_is_printed(show: Show, pending: Snapshot) -> None:
    assert show(pending) == [
        "mine: 3 runs; 1 completed, 2 pending; best 25.00 % (width=2, one seed)"
    ]


def test_nothing_is_printed_before_a_search_has_proposed_a_run(
    show: Show, pending: Snapshot
) -> None:
    assert show(snapshot_of(), snapshot_of()) == []
    assert show(snapshot_of(), pending) == show(pending)


def test_each_change_is_a_line(
    show: Show, state_of: MakeState, pending: Snapshot, done: RunState
) -> None:
    lines = show(
        pending,
        snapshot_of(state_of(A, "running"), state_of(B, "running"), done),
        snapshot_of(
            state_of(A, "completed", final=0.625),
            state_of(B, "failed", error="[no] such thing"),
            done,
        ),
    )
    assert lines[1:] == [
        "running     tiny-aaaaaaaaaa  width=0",
        "running     tiny-bbbbbbbbbb  width=1",
        "completed   tiny-aaaaaaaaaa  width=0  val 62.50 %",
        "failed      tiny-bbbbbbbbbb  width=1  ValueError: [no] such thing",
    ]


def test_what_does_not_change_is_not_printed_again(show: Show, pending: Snapshot) -> None:
    assert len(show(*[pending] * 5)) == 1


def test_a_run_that_is_stopped_and_resumed_is_printed_twice(
    show: Show, state_of: MakeState
) -> None:
    stopped, running = state_of(A, "interrupted"), state_of(A, "running")
    lines = show(*[snapshot_of(state) for state in (running, stopped, running)])
    assert lines[1:] == [
        "interrupted tiny-aaaaaaaaaa  width=0  asked to stop, position saved",
        "running     tiny-aaaaaaaaaa  width=0",
    ]


def test_the_headline_is_repeated_after_a_while(
    show: Show, state_of: MakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "HEADLINE_SECONDS", -1.0)
    lines = show(
        snapshot_of(state_of(A, "pending")),
        snapshot_of(state_of(A, "running")),
        snapshot_of(state_of(A, "running")),
    )
    assert lines == [
        "mine: 1 run; 1 pending",
        "running     tiny-aaaaaaaaaa  width=0",
        "mine: 1 run; 1 running",
    ]


def test_a_silent_sweep_prints_nothing(show: Show, state_of: MakeState, pending: Snapshot) -> None:
    failed = snapshot_of(state_of(A, "failed", error="[no] such thing"))
    assert show(pending, failed, is_silent=True) == []


def test_on_a_terminal_the_table_is_redrawn_and_removed(
    state_of: MakeState, pending: Snapshot
) -> None:
    stream = StringIO()
    console = Console(file=stream, width=100, force_terminal=True, color_system=None)
    display = Display(console, "auto")
    display.begin()
    display.show(pending)
    assert "mine: 3 runs; 1 completed, 2 pending" in stream.getvalue()
    display.show(snapshot_of(state_of(A, "running")))
    assert "there" in stream.getvalue()
    before = len(stream.getvalue())
    display.end()
    assert "mine" not in stream.getvalue()[before:]


@pytest.fixture
def reader(tmp_path: Path) -> SnapshotReader:
    folder = tmp_path / "sweeps" / "mine"
    folder.mkdir(parents=True)
    (folder.parent / ".locks").mkdir()
    row = {"run_id": A, "status": "pending", "model.width": "8"}
    write_csv(folder / "runs.csv", ["run_id", "folder", "status", "model.width"], [row])
    (tmp_path / "runs").mkdir()
    return SnapshotReader(folder)


def silent() -> Display:
    return Display(Console(file=StringIO()), "none")


def statuses(reader: SnapshotReader) -> list[str]:
    with (reader.folder.path / "runs.csv").open() as stream:
        return [line["status"] for line in csv.DictReader(stream)]


def test_after_the_block_the_table_says_how_the_runs_ended(
    reader: SnapshotReader, make_record: MakeRecord
) -> None:
    with live_view(reader, silent()):
        folder = reader.folder.runs_folder / f"tiny-{A}"
        folder.mkdir()
        make_record("completed", run_id=A).save(folder)
    assert statuses(reader) == ["completed"]
    assert reader.folder.rows()[0].folder == f"../../runs/tiny-{A}"


def test_the_table_is_kept_up_to_date_even_where_the_block_ends_in_an_error(
    reader: SnapshotReader, make_record: MakeRecord
) -> None:
    def stopped() -> None:
        folder = reader.folder.runs_folder / f"tiny-{A}"
        folder.mkdir()
        make_record("failed", run_id=A).save(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), live_view(reader, silent()):
        stopped()
    assert statuses(reader) == ["failed"]


@pytest.mark.parametrize("error", [ValueError("damaged"), RecursionError()], ids=repr)
def test_an_error_in_reading_does_not_end_the_view_or_the_sweep(
    reader: SnapshotReader,
    make_record: MakeRecord,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    real, errors = reader.take, [error, error]
    read_again = threading.Event()

    def take() -> Snapshot:
        if errors:
            raise errors.pop()
        read_again.set()
        return real()

    monkeypatch.setattr(reader, "take", take)
    monkeypatch.setattr(watching, "PERIOD_SECONDS", 0.01)
    with live_view(reader, silent()):
        assert read_again.wait(60)
        folder = reader.folder.runs_folder / f"tiny-{A}"
        folder.mkdir()
        make_record("completed", run_id=A).save(folder)
    assert statuses(reader) == ["completed"]


def test_a_full_disk_does_not_end_the_sweep_for_the_sake_of_its_table(
    reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_states: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reader.folder, "refresh", full)
    with live_view(reader, silent()):
        pass
    assert statuses(reader) == ["pending"]
