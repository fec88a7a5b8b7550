import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cifar_exp import status
from cifar_exp.storage.atomic import write_csv
from cifar_exp.storage.lock import lock_run
from cifar_exp.storage.record import RunRecord
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import plain_lines, unsuccessful_lines

DONE, FAILED, RUNNING, WAITING = "0123456789", "12e4567890", "aaaaaaaaaa", "bbbbbbbbbb"
ALONE = "cccccccccc"
Status = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Status:
    """Exit code, standard output and standard error of a command line."""

    def told(*arguments: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["status", *arguments])
        code = status.main()
        output = capsys.readouterr()
        return code, output.out.splitlines(), output.err.splitlines()

    return told


@pytest.fixture
def write_run(make_record: Callable[..., RunRecord], tmp_path: Path) -> Callable[..., None]:
    """Writes a run of eight epochs, three of which are done."""

    def write(run_id: str, state: str, val: float | None, **more: Any) -> None:
        folder = tmp_path / "outputs" / "runs" / f"tiny-{run_id}"
        folder.mkdir(parents=True)
        make_record(state, run_id=run_id, train_seconds=10.0, **more).save(folder)
        row = {"epoch": 3, "elapsed_seconds": 10.0, "val_accuracy": val}
        write_csv(folder / "metrics.csv", list(row), [row])

    return write


@pytest.fixture
def outputs(write_run: Callable[..., None], tmp_path: Path) -> Iterator[Path]:
    """A sweep of four runs, one of which this process trains, and a run beside it."""
    outputs = tmp_path / "outputs"
    write_run(DONE, "completed", 0.75, final=0.75)
    write_run(FAILED, "failed", 0.5, error="[no] such thing")
    write_run(RUNNING, "running", 0.25)
    write_run(ALONE, "interrupted", None)
    folder = outputs / "sweeps" / "mine"
    folder.mkdir(parents=True)
    rows = [
        {"run_id": run_id, "status": "pending", "model.width": width}
        for width, run_id in enumerate((DONE, FAILED, RUNNING, WAITING), 1)
    ]
    write_csv(folder / "runs.csv", ["run_id", "folder", "status", "model.width"], rows)
    (folder / "sweep.yaml").write_text("name: mine\n")
    with ExitStack() as stack:
        stack.enter_context(lock_run(outputs / "runs", RUNNING))
        yield outputs


def expected_sweep(outputs: Path) -> list[str]:
    here = f"{socket.gethostname()}:{os.getpid()}"
    # three epochs took 10 s: five more of this run and of the failed one, and as long for the third
    return [
        "mine: 4 runs; 1 completed, 1 running, 1 pending, 1 failed; best 75.00 % (width=1); "
        "about 50 s left",
        f"  running  tiny-{RUNNING}  width=3  epoch 3/8  val 25.00 %  by {here}",
        f"failed      tiny-{FAILED}  width=2",
        "            ValueError: [no] such thing",
        f"            log: {outputs}/runs/tiny-{FAILED}/train.log",
    ]


ALONE_LINE = f"interrupted tiny-{ALONE}  epoch 3/8  val -  asked to stop, position saved"


def test_of_a_sweep_all_its_runs_are_told_and_no_other(tell: Status, outputs: Path) -> None:
    assert tell(str(outputs / "sweeps" / "mine")) == (0, expected_sweep(outputs), [])


def test_of_outputs_all_sweeps_are_told_and_the_runs_beside_them(
    tell: Status, outputs: Path
) -> None:
    assert tell(str(outputs)) == (0, [*expected_sweep(outputs), ALONE_LINE], [])


def test_outputs_is_what_is_looked_at_where_nothing_is_said(
    tell: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(outputs.parent)
    relative = [line.replace(f"{outputs}", "outputs") for line in expected_sweep(outputs)]
    assert tell() == (0, [*relative, ALONE_LINE], [])


@pytest.mark.parametrize(
    ("run_id", "line"),
    [
        (DONE, f"completed   tiny-{DONE}  epoch 3/8  val 75.00 %"),
        (
            FAILED,
            f"failed      tiny-{FAILED}  epoch 3/8  val 50.00 %  ValueError: [no] such thing",
        ),
        (RUNNING, f"running     tiny-{RUNNING}  epoch 3/8  val 25.00 %"),
        (ALONE, ALONE_LINE),
    ],
)
def test_a_run_is_told_in_a_line(tell: Status, outputs: Path, run_id: str, line: str) -> None:
    assert tell(str(outputs / "runs" / f"tiny-{run_id}")) == (0, [line], [])


def test_what_is_told_is_what_the_live_table_shows(tell: Status, outputs: Path) -> None:
    snapshot = SnapshotReader(outputs / "sweeps" / "mine").take()
    same = [*plain_lines(snapshot), *unsuccessful_lines(snapshot, {})]
    assert tell(str(outputs / "sweeps" / "mine"))[1] == same


def test_long_lines_are_not_cut(
    tell: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert tell(str(outputs))[1] == [*expected_sweep(outputs), ALONE_LINE]


def test_watching_ends_when_nothing_is_running(
    tell: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        (outputs / "runs" / ".locks" / RUNNING).write_text("")  # its process lets go of it

    monkeypatch.setattr("cifar_exp.status.time.sleep", wait)
    code, lines, _ = tell(str(outputs), "--watch")
    assert (code, len(waits)) == (0, 1)
    assert "mine: 4 runs; 1 completed, 1 pending, 1 interrupted, 1 failed;" in "\n".join(lines)


def test_ctrl_c_ends_watching_with_its_own_code(
    tell: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cifar_exp.status.time.sleep", stop)
    assert tell(str(outputs), "--watch")[0] == 130


@pytest.mark.parametrize("name", ["absent", "outputs/runs/none"])
def test_a_folder_that_is_not_there_is_told(tell: Status, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    told = f"error: {path}: is no folder; give outputs, a sweep's or a run's folder"
    assert tell(str(path)) == (2, [], [told])


def test_a_file_is_no_folder(tell: Status, outputs: Path) -> None:
    code, lines, errors = tell(str(outputs / "sweeps" / "mine" / "runs.csv"))
    assert (code, lines, len(errors)) == (2, [], 1)


def test_where_nothing_was_trained_that_is_told(tell: Status, tmp_path: Path) -> None:
    assert tell(str(tmp_path)) == (0, [f"{tmp_path}: no run and no sweep is here"], [])


def test_the_folder_of_all_sweeps_stands_for_them_without_the_other_runs(
    tell: Status, outputs: Path
) -> None:
    assert tell(str(outputs / "sweeps")) == (0, expected_sweep(outputs), [])


def test_a_report_beside_the_runs_is_not_taken_for_a_sweep(tell: Status, outputs: Path) -> None:
    report = outputs / "report"
    report.mkdir()
    (report / "runs.csv").write_text("run_id,label\n0123456789,tiny\n")
    assert tell(str(report)) == (0, [f"{report}: no run and no sweep is here"], [])


def test_looking_changes_nothing(tell: Status, outputs: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in outputs.rglob("*")}
    tell(str(outputs))
    tell(str(outputs / "sweeps" / "mine"))
    assert {path: path.stat().st_mtime_ns for path in outputs.rglob("*")} == before


def test_the_command_loads_neither_torch_nor_hydra(outputs: Path) -> None:
    program = (
        "import json, sys; from cifar_exp.status import main; sys.argv[1:] = sys.argv[1:2]\n"
        "assert main() == 0\n"
        "print(json.dumps(sorted({'torch', 'hydra', 'omegaconf'} & set(sys.modules))))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", program, str(outputs)]
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(ran.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize("place", ["outputs/sweeps/mine", "outputs/sweeps", "outputs"])
def test_a_relative_path_or_a_link_tells_the_same(
    tell: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    sweep = outputs / "sweeps" / "mine"
    (outputs / "latest").symlink_to("sweeps/mine")
    headline = tell(str(sweep))[1][0]
    monkeypatch.chdir(outputs.parent / place)
    assert tell(os.path.relpath(sweep))[1][0] == headline
    assert tell(os.path.relpath(outputs / "latest"))[1][0] == headline
    assert tell(os.path.relpath(outputs / "runs")) == tell(os.path.relpath(outputs))
