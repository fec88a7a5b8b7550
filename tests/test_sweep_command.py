"""Sweeps as a user types them, with kills, signals, failures and full disks."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # commands in processes of their own

ROOT = Path(__file__).parents[1]
QUICK = [
    "data=folder",
    "data.image_size=16",
    "model=tiny",
    "model.width=4",
    "model.stages=2",
    "trainer.batch_size=16",
    "trainer.device=cpu",
    "trainer.epochs=2",
    "data.val_fraction=0.25",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "report=false",
]
TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")
FLAKY = """
import os, pathlib, signal, time
from torch import nn

def first_time(what):
    marker = pathlib.Path(f"{what}.happened")
    if marker.exists():
        return False
    marker.touch()
    return True

def note(signum, what):
    # call the run's own handler, then leave a file
    handler = signal.getsignal(signum)
    def handle(*arguments):
        handler(*arguments)
        pathlib.Path(f"{what}.happened").touch()
    signal.signal(signum, handle)

def wait_for(pattern, count=1):
    while len(list(pathlib.Path().glob(pattern))) < count:
        time.sleep(0.01)

class Flaky(nn.Sequential):
    def __init__(self, mode, num_classes):
        super().__init__(nn.Flatten(), nn.Linear(768, num_classes))
        self.mode, self.steps = mode, 0

    def forward(self, images):
        if self.training:
            self.steps += 1
            getattr(self, self.mode, lambda: None)()
        scores = super().forward(images)
        return scores * float("nan") if self.mode == "diverges" else scores

    def raises(self):
        if first_time("raise"):
            raise RuntimeError("raised once")

    def killed(self):
        if first_time("kill"):
            os.kill(os.getpid(), signal.SIGKILL)

    def exits(self):
        raise SystemExit(0)

    def vanishes(self):
        os._exit(0)

    def lingers(self):
        if first_time("linger"):
            assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 600
            note(signal.SIGALRM, "limit")
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            wait_for("limit.happened")

    def slow(self):
        note(signal.SIGTERM, "request")
        pathlib.Path("slow.happened").touch()
        time.sleep(600)

    def shared(self):
        # until two workers of each of two sweeps have begun a run
        pathlib.Path(f"{os.getpid()}.begun").touch()
        wait_for("*.begun", 4)

    def halts(self):
        # in the second epoch, when metrics.csv has a row, until the run is asked to stop
        if self.steps > 6 and not pathlib.Path("continue").exists():
            note(signal.SIGTERM, os.getpid())
            wait_for(f"{os.getpid()}.happened")
"""


class Shell:
    """A folder in which sweeps are run."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        self.folder = folder
        self.quick = [*QUICK, f"data.root={pictures}"]
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CIFAR_EXP_CACHE": str(pictures.parent / "sweeps_cache"),
        }
        folder.mkdir(exist_ok=True)

    def start(self, *line: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "cifar_exp.train", "--multirun", *self.quick, *line],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *line: str) -> tuple[int, str]:
        return ended(self.start(*line))

    def status(self) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cifar_exp.status"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    @property
    def runs(self) -> dict[str, Path]:
        return {p.name[-10:]: p for p in self.folder.glob("outputs/runs/[!.]*")}

    def records(self) -> dict[str, dict]:
        # a full disk, or a kill, may leave a folder before its record is there
        paths = {i: p / "run.json" for i, p in self.runs.items() if (p / "run.json").exists()}
        return {i: json.loads(path.read_text()) for i, path in paths.items()}

    def table(self) -> dict[str, dict[str, str]]:
        (path,) = self.folder.glob("outputs/sweeps/*/runs.csv")
        with path.open() as stream:
            return {row["run_id"]: row for row in csv.DictReader(stream)}

    def figures(self) -> dict[str, list[dict[str, str]]]:
        found = {}
        for run_id, folder in self.runs.items():
            with (folder / "metrics.csv").open() as stream:
                rows = list(csv.DictReader(stream))
            found[run_id] = [{k: v for k, v in r.items() if k not in TIMES} for r in rows]
        return found

    def tests(self) -> dict[str, dict]:
        return {run_id: record["test"] for run_id, record in self.records().items()}

    def wait_for(self, process: subprocess.Popen, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90
        while not holds():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def epochs_done(self) -> int:
        return sum(
            max(0, len(path.read_text().splitlines()) - 1)
            for path in self.folder.glob("outputs/runs/*/metrics.csv")
        )


def ended(process: subprocess.Popen) -> tuple[int, str]:
    try:
        out, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(process.communicate()[0]) from None
    return process.returncode, out


def descendants(pid: int) -> set[int]:
    """All processes that a process has started, directly or not."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found: set[int] = set()
    layer = {pid}
    while layer:
        layer = {child for child, parent in parents.items() if parent in layer}
        found |= layer
    return found


def is_there(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_until_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + 60
    while any(map(is_there, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def make_shell(tmp_path: Path, pictures: Path) -> Callable[[str], Shell]:
    return lambda name: Shell(tmp_path / name, pictures)


@pytest.fixture
def shell(make_shell: Callable[[str], Shell]) -> Shell:
    return make_shell("here")


@pytest.fixture
def flaky(shell: Shell) -> Shell:
    """A shell with a network that diverges, raises once, or kills its process once."""
    (shell.folder / "conf" / "model").mkdir(parents=True)
    (shell.folder / "conf" / "model" / "flaky.yaml").write_text(
        "_target_: flaky.Flaky\nmode: fine\n"
    )
    (shell.folder / "flaky.py").write_text(FLAKY)
    shell.quick = [o for o in shell.quick if not o.startswith("model")]
    shell.quick += ["--config-dir=conf", "model=flaky"]
    return shell


WIDTHS = ("model.width=4,6", "model.dropout=0.0,0.2", "trainer.epochs=6", "augmentation=strong")


def test_a_sweep_that_is_killed_twice_and_interrupted_ends_with_the_same_results(
    make_shell: Callable[[str], Shell],
) -> None:
    calm, shell = make_shell("calm"), make_shell("disturbed")
    assert calm.run(*WIDTHS)[0] == 0

    process = shell.start(*WIDTHS)  # the whole group dies
    shell.wait_for(process, lambda: shell.epochs_done() >= 2)
    os.killpg(process.pid, signal.SIGKILL)
    assert ended(process)[0] == -signal.SIGKILL

    process = shell.start(*WIDTHS)  # the parent dies alone
    before = shell.epochs_done()
    shell.wait_for(process, lambda: shell.epochs_done() >= before + 2)
    workers = descendants(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    wait_until_gone(workers)
    process.stdout.close()

    process = shell.start(*WIDTHS)  # Ctrl-C goes to all
    before = shell.epochs_done()
    shell.wait_for(process, lambda: shell.epochs_done() >= before + 2)
    os.killpg(process.pid, signal.SIGINT)
    code, out = ended(process)
    assert code == 130
    assert out.splitlines()[-1] == "stopped: run the same command again to continue"
    assert set(Counter(r["status"] for r in shell.table().values())) <= {
        "completed",
        "interrupted",
        "pending",
    }

    code, out = shell.run(*WIDTHS)
    assert code == 0, out
    assert shell.figures() == calm.figures()
    assert shell.tests() == calm.tests()
    assert shell.table() == calm.table()
    rows = list(shell.table().values())
    assert [(r["model.width"], r["model.dropout"]) for r in rows] == [
        ("4", "0.0"),
        ("4", "0.2"),
        ("6", "0.0"),
        ("6", "0.2"),
    ]


def test_runs_fail_alone_and_only_failed_runs_are_tried_again(flaky: Shell) -> None:
    line = ("model.mode=a,b,c,d,e,diverges,raises,killed",)
    code, out = flaky.run(*line)
    assert code == 1
    modes = {i: r["model.mode"] for i, r in flaky.table().items()}
    status = {modes[i]: row["status"] for i, row in flaky.table().items()}
    assert status == {
        **dict.fromkeys("abcde", "completed"),
        "diverges": "diverged",
        "raises": "failed",
        "killed": "failed",
    }
    assert "RuntimeError: raised once" in out
    assert "DivergedError: the training loss is not finite in epoch 1, step 1" in out
    assert "was killed by SIGKILL, perhaps by the system because memory ran out" in out
    assert out.count("log: outputs/runs/flaky-") == 3
    started = {modes[i]: len(r["segments"]) for i, r in flaky.records().items()}

    left, out = flaky.run(*line, "retry_failed=false")
    assert left == 1
    assert {modes[i]: len(r["segments"]) for i, r in flaky.records().items()} == started

    code, out = flaky.run(*line)
    assert code == 1
    again = {modes[i]: len(r["segments"]) for i, r in flaky.records().items()}
    assert {mode for mode in again if again[mode] > started[mode]} == {"raises", "killed"}
    status = {modes[i]: row["status"] for i, row in flaky.table().items()}
    assert Counter(status.values()) == {"completed": 7, "diverged": 1}
    assert "DivergedError" in out
    assert out.count("log: outputs/runs/flaky-") == 1


def test_a_network_that_ends_its_program_or_process_fails_alone(flaky: Shell) -> None:
    code, out = flaky.run("model.mode=a,exits,vanishes,b")
    assert code == 1
    status = {row["model.mode"]: row["status"] for row in flaky.table().values()}
    assert status == {"a": "completed", "exits": "failed", "vanishes": "failed", "b": "completed"}
    assert "SystemExit: exit(0) was called during the run\n" in out
    assert " ended with exit code 0\n" in out
    assert "Traceback" not in out


def test_a_second_signal_ends_a_sweep_without_waiting_for_the_step(flaky: Shell) -> None:
    process = flaky.start("model.mode=slow,a")
    flaky.wait_for(process, lambda: (flaky.folder / "slow.happened").exists())
    workers = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    flaky.wait_for(process, lambda: (flaky.folder / "request.happened").exists())
    assert process.poll() is None  # waits for the step
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    wait_until_gone(workers)


def test_two_processes_share_a_sweep_and_train_no_epoch_twice(flaky: Shell) -> None:
    shell, jobs = flaky, "hydra.launcher.n_jobs=2"
    line = ("model.mode=shared", "seed=range(8)", "trainer.epochs=8", jobs)
    processes = [shell.start(*line), shell.start(*line, "trainer.progress=plain")]
    ends = [ended(process) for process in processes]
    assert [code for code, _ in ends] == [0, 0], ends
    assert len(shell.runs) == 8
    assert all(len(record["segments"]) == 1 for record in shell.records().values())
    for folder in shell.runs.values():
        log = (folder / "train.log").read_text().splitlines()
        assert sum(line.startswith("epoch ") for line in log) == 8
    asked = [(folder / "overrides.yaml").read_text() for folder in shell.runs.values()]
    by_second = sum("trainer.progress=plain" in overrides for overrides in asked)
    assert 2 <= by_second <= 6
    assert all(row["status"] == "completed" for row in shell.table().values())
    assert [out.count("completed   flaky-") for _, out in ends] == [8, 8]


def test_other_launchers_give_the_same_bits(make_shell: Callable[[str], Shell]) -> None:
    line = ("seed=0,1", "trainer.threads=1")
    ours = make_shell("local")
    assert ours.run(*line)[0] == 0
    for launcher in ("basic", "joblib"):
        theirs = make_shell(launcher)
        code, out = theirs.run(*line, f"hydra/launcher={launcher}")
        assert code == 0, out
        assert theirs.figures() == ours.figures()
        assert theirs.tests() == ours.tests()
        assert theirs.table() == ours.table()
        assert sorted(p.name for p in theirs.folder.iterdir()) == ["outputs"]


def test_a_run_that_reaches_its_time_limit_is_saved_and_resumed_by_the_next_command(
    flaky: Shell,
) -> None:
    code, out = flaky.run("model.mode=lingers", "hydra.launcher.timeout_min=10")
    assert code == 1
    (record,) = flaky.records().values()
    assert record["status"] == "interrupted"
    assert "TimeLimitError: stopped at its time limit of 10 min, position saved" in out
    code, out = flaky.run("model.mode=lingers")
    assert code == 0, out
    (record,) = flaky.records().values()
    assert record["status"] == "completed"
    assert record["error"] is None
    assert len(record["segments"]) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with one megabyte."""
    folder = tmp_path / "here" / "outputs"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_full_disk_a_sweep_ends_with_a_sentence_and_continues_when_there_is_room(
    small_disk: Path, shell: Shell
) -> None:
    line = ("seed=range(6)",)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(700_000))
    code, out = shell.run(*line)
    assert code == 1
    assert "error: no space is left on the disk of outputs/" in out
    assert "make room and run the same command again to continue" in out
    assert "Traceback" not in out
    whole = [r for r in shell.records().values() if r["status"] == "completed"]
    ballast.unlink()
    assert 1 <= len(whole) < 6
    code, out = shell.run(*line, "keep=none")
    assert code == 0, out
    again = shell.records()
    assert [again[record["run_id"]] for record in whole] == whole
    assert len(again) == 6


def test_status_shows_each_workers_run_in_another_terminal(flaky: Shell) -> None:
    shell, line = flaky, ("model.mode=halts", "seed=0,1,2", "hydra.launcher.n_jobs=2")
    process = shell.start(*line)
    begun = shell.folder.glob  # a worker holds its run before the run has a folder
    shell.wait_for(process, lambda: len([*begun("outputs/runs/*/metrics.csv")]) == 2)
    shown = shell.status()
    process.send_signal(signal.SIGINT)  # to the sweep alone, which passes it on
    assert ended(process)[0] == 130
    (shell.folder / "continue").touch()
    headline, *running = shown.splitlines()
    assert headline.startswith("seed")
    assert ": 3 runs; " in headline
    assert " running" in headline
    names = {folder.name for folder in shell.runs.values()}
    assert len(running) == 2
    for row in running:
        assert row.split()[1] in names
    after = shell.status()
    assert "interrupted" in after
    assert "asked to stop, position saved" in after
    assert shell.run(*line)[0] == 0
    mean = sum(record["final"]["val_accuracy"] for record in shell.records().values()) / 3
    (row,) = shell.status().splitlines()
    assert f"3 runs; 3 completed; best {100 * mean:.2f} % (mean of 3 seeds)" in row


def test_a_sweep_ends_with_one_ranking_its_answer_and_its_page_and_says_so_again(
    shell: Shell,
) -> None:
    line = ("model.width=4,6", "seed=0,1", "report=true", "trainer.progress=plain")
    code, out = shell.run(*line)
    assert code == 0, out
    lines = out.splitlines()
    assert sum(text.startswith("rank") for text in lines) == 2  # of configurations, of runs
    assert lines.index("report   on 4 runs ...") < next(
        i for i, text in enumerate(lines) if text.startswith("rank")
    )
    winner = next(text.split()[1] for text in lines if text.startswith("   1  "))
    answers = [text for text in lines if text.startswith("answer")]
    assert f"width={winner}" in "\n".join(answers)
    page = next(shell.folder.glob("outputs/sweeps/*/report/index.html"))
    assert f"report   {page.relative_to(shell.folder)}" in lines
    code, out = shell.run(*line)
    assert (code, [text for text in out.splitlines() if text.startswith("answer")]) == (0, answers)
    assert out.splitlines()[-1].endswith("report/index.html (no run has changed since)")
