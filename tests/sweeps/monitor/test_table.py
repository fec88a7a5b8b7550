import socket
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cifar_exp.storage.lease import LockHolder
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.snapshot import Snapshot
from cifar_exp.sweeps.monitor.table import (
    disk_used,
    headline,
    live_table,
    plain_lines,
    unsuccessful_lines,
)

RUNS = Path("outputs/runs")
HOLDER = LockHolder("there", 4711)
MakeRecord = Callable[..., RunRecord]


def state_of(run_id: str, record: RunRecord | None = None, **more: Any) -> RunState:
    return RunState(run_id, RUNS / f"tiny-{run_id}" if record else None, record, **more)


def snapshot_of(*states: RunState, seconds_left: float | None = None) -> Snapshot:
    rows = [
        SweepRow(state.run_id, "", "", {"model.width": str(8 * i), "seed": "0"})
        for i, state in enumerate(states, 1)
    ]
    return Snapshot("mine", rows, {state.run_id: state for state in states}, seconds_left)


@pytest.fixture
def mixed(make_record: MakeRecord) -> Snapshot:
    """Eight runs with different statuses."""
    running = make_record("running")
    return snapshot_of(
        state_of("a", make_record(final=0.5, test=0.61)),
        state_of("b", make_record(final=0.75, test=0.6)),
        state_of("c", running, holder=HOLDER, row={"epoch": 3.0, "val_accuracy": 0.125}),
        state_of("d", holder=HOLDER),
        state_of("e"),
        state_of("f", make_record("failed", error="[no] such thing")),
        state_of("g", running),
        state_of("h", make_record("failed")),
        seconds_left=7500.0,
    )


def shown(renderable: Any) -> list[list[str]]:
    """The words of each line, on a wide terminal."""
    stream = StringIO()
    Console(file=stream, width=200).print(renderable)
    return [line.split() for line in stream.getvalue().splitlines()]


def test_the_headline_has_counts_the_best_run_and_the_time_left(mixed: Snapshot) -> None:
    assert headline(mixed) == (
        "mine: 8 runs; 2 completed, 2 running, 1 pending, 1 interrupted, 2 failed; "
        "best 75.00 % (width=16, one seed); about 2 h 05 min left"
    )


def test_a_headline_leaves_out_what_is_not_known() -> None:
    assert headline(snapshot_of(state_of("a"), state_of("b"))) == "mine: 2 runs; 2 pending"
    assert headline(snapshot_of()) == "mine: 0 runs"


def test_plain_lines_show_the_worker_and_the_progress_of_each_run(mixed: Snapshot) -> None:
    assert list(plain_lines(mixed)) == [
        headline(mixed),
        "  running  tiny-c  width=24 seed=0  epoch 3/8  val 12.50 %  on there",
        "  running  d  width=32 seed=0  epoch 0/?  val -  on there",
    ]


def test_the_live_table_shows_the_same(mixed: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    first, columns, *workers = shown(live_table(mixed))
    assert " ".join(first) == headline(mixed)
    assert columns == ["run", "values", "epoch", "val", "machine"]
    assert workers == [
        ["tiny-c", "width=24", "seed=0", "3/8", "12.50", "%", "there"],
        ["d", "width=32", "seed=0", "0/?", "-", "there"],
    ]


def test_the_machine_is_named_only_where_it_is_another(make_record: MakeRecord) -> None:
    here = LockHolder(socket.gethostname(), 4711)
    snapshot = snapshot_of(state_of("a", make_record("running"), holder=here))
    assert shown(live_table(snapshot))[1:] == [
        ["run", "values", "epoch", "val"],
        ["tiny-a", "width=8", "seed=0", "0/8", "-"],
    ]
    assert list(plain_lines(snapshot))[1] == "  running  tiny-a  width=8 seed=0  epoch 0/8  val -"


def test_the_live_table_has_no_columns_while_nothing_is_running() -> None:
    assert shown(live_table(snapshot_of(state_of("a")))) == [["mine:", "1", "run;", "1", "pending"]]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_live_headline_is_broken_between_words(mixed: Snapshot, width: int) -> None:
    stream = StringIO()
    Console(file=stream, width=width, soft_wrap=True).print(live_table(mixed))
    lines = stream.getvalue().splitlines()
    rows = lines[: next(i for i, line in enumerate(lines) if line.startswith("run "))]
    assert " ".join(line.strip() for line in rows).replace(";", "") == headline(mixed).replace(
        ";", ""
    )
    assert all(len(line) <= width for line in rows)


def test_every_run_that_did_not_complete_is_listed_with_its_reason_and_log(mixed: Snapshot) -> None:
    lines = list(unsuccessful_lines(mixed, {"h": "its process 5 was killed by SIGKILL"}))
    assert lines == [
        "failed      tiny-f  width=48 seed=0",
        "            ValueError: [no] such thing",
        "            log: outputs/runs/tiny-f/train.log",
        "interrupted tiny-g  width=56 seed=0",
        "            its process died",
        "            log: outputs/runs/tiny-g/train.log",
        "failed      tiny-h  width=64 seed=0",
        "            its process 5 was killed by SIGKILL",
        "            log: outputs/runs/tiny-h/train.log",
    ]
    assert list(unsuccessful_lines(mixed, {"f": "another"}))[:7] == lines[:7]
    assert "no reason on record" in list(unsuccessful_lines(mixed, {}))[7]


def test_names_and_values_from_files_are_shown_as_they_are(make_record: MakeRecord) -> None:
    record = make_record(final=0.5)
    state = RunState("a", RUNS / "tiny[red]-a", record, HOLDER)
    done = replace(state, run_id="b", holder=None)
    snapshot = Snapshot(
        "mine",
        [SweepRow(i, "", "", {"model[bold]": "[no] \x1b[31mred"}) for i in ("a", "b")],
        {"a": state, "b": done},
        None,
    )
    text = "\n".join(" ".join(words) for words in shown(live_table(snapshot)))
    assert "model[bold]=[no] \\x1b[31mred" in text
    assert "tiny[red]-a" in text
    assert "\x1b" not in text


def test_the_disk_used_is_that_of_all_files_in_the_folders(tmp_path: Path) -> None:
    for name, size in (("a/x", 1_200_000), ("a/b/c/y", 2_000_000), ("d/z", 800_000)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    assert disk_used([tmp_path / "a", tmp_path / "d"]) == "4 MB"
    assert disk_used([tmp_path / "a"]) == "3 MB"
    assert disk_used([]) == "0 MB"
