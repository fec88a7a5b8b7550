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
from cifar_exp.storage.jobs import Job, JobsFile
from cifar_exp.storage.lock import lock_run
from cifar_exp.storage.record import RunRecord
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import plain_lines, unsuccessful_lines

DONE, FAILED, RUNNING, WAITING = "0123456789", "12e4567890", "aaaaaaaaaa", "bbbbbbbbbb"
ALONE = "cccccccccc"
Status = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Status:
    """Exit code, standard output and standard error of a command line."""

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["status", *arguments])
        code = status.main()
        output = capsys.readouterr()
        return code, output.out.splitlines(), output.err.splitlines()

    return run


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
    """A sweep of four runs, one of which this process trains, and a run outside it."""
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
    # three epochs took 10 s: five more here and for the failed run, and the same for the last one
    return [
        "mine: 4 runs; 1 completed, 1 running, 1 pending, 1 failed; best 75.00 % (width=1, one "
        "seed); about 50 s left",
        f"  running  tiny-{RUNNING}  width=3  epoch 3/8  val 25.00 %",
        f"failed      tiny-{FAILED}  width=2",
        "            ValueError: [no] such thing",
        f"            log: {outputs}/runs/tiny-{FAILED}/train.log",
    ]


ALONE_LINE = f"interrupted tiny-{ALONE}  epoch 3/8  val -  asked to stop, position saved"


def test_a_sweeps_folder_shows_its_runs_and_no_other(show: Status, outputs: Path) -> None:
    assert show(str(outputs / "sweeps" / "mine")) == (0, expected_sweep(outputs), [])


def test_queued_jobs_are_shown_by_their_ids(
    show: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(outputs))  # no SLURM that could be asked
    sweep = outputs / "sweeps" / "mine"
    queued = (WAITING, FAILED, DONE)
    JobsFile(sweep).add(Job("slurm", f"7_{i}", run_id, "") for i, run_id in enumerate(queued))
    assert show(str(sweep))[1] == [
        "mine: 4 runs; 1 completed, 1 running, 1 pending, 1 failed; 2 queued; best 75.00 % "
        "(width=1, one seed); about 50 s left",
        f"  running  tiny-{RUNNING}  width=3  epoch 3/8  val 25.00 %",
        f"  queued   tiny-{FAILED}  width=2  slurm job 7_1",
        f"  queued   {WAITING}  width=4  slurm job 7_0",
    ]
    found = json.loads("\n".join(show(str(sweep), "--json")[1]))
    assert [run["job_id"] for run in found["sweeps"][0]["runs"]] == ["7_2", "7_1", None, "7_0"]


def test_outputs_shows_all_sweeps_and_the_runs_outside_them(show: Status, outputs: Path) -> None:
    assert show(str(outputs)) == (0, [*expected_sweep(outputs), ALONE_LINE], [])


def test_the_default_path_is_outputs(
    show: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(outputs.parent)
    relative = [line.replace(f"{outputs}", "outputs") for line in expected_sweep(outputs)]
    assert show() == (0, [*relative, ALONE_LINE], [])


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
def test_a_runs_folder_begins_with_its_line(
    show: Status, outputs: Path, run_id: str, line: str
) -> None:
    code, lines, errors = show(str(outputs / "runs" / f"tiny-{run_id}"))
    assert (code, lines[0], errors) == (0, line, [])


def test_a_runs_folder_shows_what_was_set_and_how_long_it_took(show: Status, outputs: Path) -> None:
    folder = outputs / "runs" / f"tiny-{DONE}"
    (folder / "overrides.yaml").write_text("- model=tiny\n- 'seed=1'\n")
    assert show(str(folder))[1][1:] == [
        "set      model=tiny seed=1",
        "time     10 s for 3 epochs (cpu, 1 thread)",
    ]


def test_the_state_is_printed_as_one_object(show: Status, outputs: Path) -> None:
    code, lines, errors = show(str(outputs), "--json")
    assert (code, errors) == (0, [])
    found = json.loads("\n".join(lines))
    (sweep,) = found["sweeps"]
    assert (sweep["sweep"], sweep["counts"]) == (
        "mine",
        {"completed": 1, "running": 1, "pending": 1, "failed": 1},
    )
    assert sweep["best"] == {"values": {"model.width": "1"}, "n": 1, "mean": 0.75}
    assert sweep["runs"][2] == {
        "run_id": RUNNING,
        "folder": f"{outputs}/runs/tiny-{RUNNING}",
        "status": "running",
        "epoch": 3,
        "epochs": 8,
        "val_accuracy": 0.25,
        "metric": None,
        "test_accuracy": None,
        "reason": None,
        "host": socket.gethostname(),
        "job_id": None,
        "values": {"model.width": "3"},
    }
    assert [run["run_id"] for run in found["runs"]] == [ALONE]
    assert found["runs"][0]["reason"] == "asked to stop, position saved"


def test_what_is_not_a_number_is_null_as_json(show: Status, outputs: Path) -> None:
    (outputs / METRICS).write_text("epoch,val_accuracy\n3,nan\n")
    lines = show(str(outputs / "sweeps" / "mine"), "--json")[1]
    assert json.loads("\n".join(lines))["sweeps"][0]["runs"][0]["val_accuracy"] is None


def test_a_single_run_and_an_empty_folder_have_an_object_too(
    show: Status, outputs: Path, tmp_path: Path
) -> None:
    run = json.loads("\n".join(show(str(outputs / "runs" / f"tiny-{DONE}"), "--json")[1]))
    assert (run["sweeps"], run["runs"][0]["status"]) == ([], "completed")
    (tmp_path / "empty").mkdir()
    empty = json.loads("\n".join(show(str(tmp_path / "empty"), "--json")[1]))
    assert empty == {"sweeps": [], "runs": []}


def test_watching_says_that_nothing_is_running_and_ends(show: Status, outputs: Path) -> None:
    folder = outputs / "runs" / f"tiny-{ALONE}"
    code, lines, _ = show(str(folder), "--watch")
    assert (code, lines[0], lines[-1]) == (0, ALONE_LINE, "nothing is running")


def test_an_object_cannot_be_watched(show: Status, outputs: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        show(str(outputs), "--watch", "--json")
    assert caught.value.code == 2


def test_status_shows_what_the_live_table_shows(show: Status, outputs: Path) -> None:
    snapshot = SnapshotReader(outputs / "sweeps" / "mine").take()
    same = [*plain_lines(snapshot), *unsuccessful_lines(snapshot, {})]
    assert show(str(outputs / "sweeps" / "mine"))[1] == same


def test_long_lines_are_not_cut(
    show: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert show(str(outputs))[1] == [*expected_sweep(outputs), ALONE_LINE]


def test_watching_ends_when_nothing_is_running(
    show: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        (outputs / "runs" / ".locks" / RUNNING).write_text("")  # its process releases it

    monkeypatch.setattr("cifar_exp.status.time.sleep", wait)
    code, lines, _ = show(str(outputs), "--watch")
    assert (code, len(waits)) == (0, 1)
    assert "mine: 4 runs; 1 completed, 1 pending, 1 interrupted, 1 failed" in "\n".join(lines)


def test_ctrl_c_ends_watching_with_its_own_code(
    show: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cifar_exp.status.time.sleep", stop)
    assert show(str(outputs), "--watch")[0] == 130


@pytest.mark.parametrize("name", ["absent", "outputs/runs/none"])
def test_a_folder_that_does_not_exist_is_an_error(show: Status, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    error = f"error: {path} is not a folder; give outputs, a sweep's folder or a run's"
    assert show(str(path)) == (2, [], [error])


def test_a_file_is_an_error(show: Status, outputs: Path) -> None:
    code, lines, errors = show(str(outputs / "sweeps" / "mine" / "runs.csv"))
    assert (code, lines, len(errors)) == (2, [], 1)


def test_a_folder_without_runs_says_so(show: Status, tmp_path: Path) -> None:
    assert show(str(tmp_path)) == (0, [f"there are no runs and no sweeps in {tmp_path}"], [])


def test_the_folder_of_all_sweeps_shows_them_without_the_other_runs(
    show: Status, outputs: Path
) -> None:
    assert show(str(outputs / "sweeps")) == (0, expected_sweep(outputs), [])


def test_a_report_beside_the_runs_is_not_taken_for_a_sweep(show: Status, outputs: Path) -> None:
    report = outputs / "report"
    report.mkdir()
    (report / "runs.csv").write_text("run_id,label\n0123456789,tiny\n")
    assert show(str(report)) == (0, [f"there are no runs and no sweeps in {report}"], [])


def test_reading_changes_nothing(show: Status, outputs: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in outputs.rglob("*")}
    show(str(outputs))
    show(str(outputs / "sweeps" / "mine"))
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
def test_a_relative_path_or_a_link_shows_the_same(
    show: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    sweep = outputs / "sweeps" / "mine"
    (outputs / "latest").symlink_to("sweeps/mine")
    headline = show(str(sweep))[1][0]
    monkeypatch.chdir(outputs.parent / place)
    assert show(os.path.relpath(sweep))[1][0] == headline
    assert show(os.path.relpath(outputs / "latest"))[1][0] == headline
    assert show(os.path.relpath(outputs / "runs")) == show(os.path.relpath(outputs))


ESCAPES = "\x1b[31mred\x1b]0;title\x07"
SPELLED_OUT = r"\x1b[31mred\x1b]0;title\x07"


def test_escape_sequences_in_an_error_do_not_reach_the_terminal(
    show: Status, outputs: Path, write_run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run("d" * 10, "failed", None, error=ESCAPES)
    (outputs / "sweeps" / "mine" / "runs.csv").write_text(
        f"run_id,folder,status,model\n{'d' * 10},,,{ESCAPES}\n{RUNNING},,,{ESCAPES}\n"
    )

    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cifar_exp.status.time.sleep", stop)
    for arguments, expected in (((), 0), (("--watch",), 130)):
        code, lines, _ = show(str(outputs), *arguments)
        assert code == expected
        assert SPELLED_OUT in "\n".join(lines)
        assert "\x1b" not in "\n".join(lines)


def test_a_path_that_is_too_long_is_an_error_that_fits_a_screen(show: Status) -> None:
    name = "x" * 300
    error = f"error: {name}... is not a folder; give outputs, a sweep's folder or a run's"
    assert show("x" * 5000) == (2, [], [error])


def damage_lock(text: str) -> Callable[[Path], None]:
    """Writes a text into the lock of the interrupted run."""
    return damage_file(f"runs/.locks/{ALONE}", text)


def damage_record(**values: Any) -> Callable[[Path], None]:
    """Changes parts of the completed run's record."""

    def damage(outputs: Path) -> None:
        path = outputs / "runs" / f"tiny-{DONE}" / "run.json"
        record = json.loads(path.read_text())
        for key, value in values.items():
            record[key] = {**record[key], **value}
        path.write_text(json.dumps(record))

    return damage


def damage_file(name: str, text: str) -> Callable[[Path], None]:
    """Replaces a file under outputs."""

    def damage(outputs: Path) -> None:
        (outputs / name).write_text(text)

    return damage


METRICS = f"runs/tiny-{DONE}/metrics.csv"
HOST = socket.gethostname()


@pytest.mark.parametrize(
    "damage",
    [
        damage_file(METRICS, "epoch,elapsed_seconds\n3,10,5,6\n"),
        damage_file(METRICS, "step,elapsed_seconds\n3,10\n"),
        damage_file(METRICS, "epoch,elapsed_seconds\n3,\n"),
        damage_file(METRICS, "epoch,elapsed_seconds\nnan,inf\n"),
        damage_file(METRICS, "epoch,elapsed_seconds\n-1,-10\n"),
        damage_lock('{"host": "a", "pid": 7, "heartbeat": "now"}'),
        damage_lock(f'{{"host": "{HOST}", "pid": {"9" * 30}, "heartbeat": 1e99}}'),
        damage_lock(f'{{"host": "{HOST}", "pid": -1, "heartbeat": 1e99}}'),
        damage_lock("[" * 100_000),
        damage_lock("\x00\xff"),
        damage_record(dataset={"train_size": 0, "val_size": 0, "test_size": 0}),
        damage_record(model={"macs": -1}),
        damage_record(compute={"threads": 0, "pflop": -1.0}),
        damage_record(params={"trainer.epochs": "many"}),
        damage_file("sweeps/mine/sweep.yaml", "[" * 500 + "]" * 500),
        damage_file("sweeps/mine/sweep.yaml", "a: " * 500),
        damage_file("sweeps/mine/sweep.yaml", f"name: x\nefforts:\n  '{RUNNING}': [1, 2, 3]\n"),
        damage_file("sweeps/mine/sweep.yaml", f"name: x\nefforts:\n  '{RUNNING}': [-1, .nan]\n"),
    ],
)
def test_a_damaged_file_of_one_run_does_not_hide_the_others(
    show: Status, outputs: Path, damage: Callable[[Path], None]
) -> None:
    damage(outputs)
    code, lines, errors = show(str(outputs))
    assert (code, errors) == (0, [])
    assert lines[0].startswith("mine: 4 runs; ")
    assert f"failed      tiny-{FAILED}  width=2" in lines
    assert lines[-1] == ALONE_LINE


def test_a_runs_folder_that_may_not_be_read_is_one_sentence(
    show: Status, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("cifar_exp.storage.run_state.os.scandir", refuse)
    code, lines, errors = show(str(outputs))
    assert (code, lines) == (2, [])
    assert errors == [f"error: cannot access {outputs / 'runs'}: permission denied"]
