"""Sweeps on a real SLURM: what its signals, limits and commands do to runs.

SLURM holds a job that is queued again for two minutes; here it is told to start at once.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp import status, train
from cifar_exp.config.launcher import SlurmOptions
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.jobs import JobsFile
from cifar_exp.storage.lock import lock_holder
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.sweeps.launchers.slurm.executor import SlurmExecutor
from cifar_exp.sweeps.launchers.slurm.job import SPENT
from cifar_exp.sweeps.launchers.slurm.queue import SlurmQueue

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("slurm"),
    pytest.mark.xdist_group("slurm"),  # one cluster
]

SMALL = (
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.stages=2",
    "trainer.batch_size=16",
    "trainer.epochs=2",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "trainer.device=cpu",
    "trainer.threads=1",
    "trainer.progress=none",
    "report=false",
)
SWEPT = ("model.width=3,4", "seed=0,1")
ON_SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus=1", "hydra.launcher.timeout_min=5")
LONG_SECONDS = 300.0  # for what takes seconds on a quiet machine
Command = Callable[..., int]


@pytest.fixture
def command(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Trains a sweep of four runs in a folder of this name; returns the exit code."""
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "cache"))

    def run(folder: str, *more: str) -> int:
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        line = ["--multirun", *SMALL, f"data.root={pictures}", *SWEPT, *more]
        monkeypatch.setattr(sys, "argv", ["train", *line])
        return train.main()

    return run


def metrics(folder: Path) -> dict[str, list[list[str]]]:
    """By run, its rows without times."""
    found = {}
    for path in folder.glob("outputs/runs/tiny-*/metrics.csv"):
        with path.open(newline="") as stream:
            found[path.parent.name] = [row[:8] for row in csv.reader(stream)]
    return found


def test_a_sweep_is_submitted_once_collected_later_and_equal_to_a_local_one(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = (*ON_SLURM, "hydra.launcher.parameters={hold: true}", "wait=false")
    assert command("cluster", *held) == 0
    (sweep,) = Path("outputs/sweeps").glob("[!.]*")
    jobs = JobsFile(sweep).read()
    assert len({job.run_id for job in jobs}) == 4
    assert command("cluster", *held) == 0
    assert JobsFile(sweep).read() == jobs
    monkeypatch.setattr(sys, "argv", ["status", "--json"])
    capsys.readouterr()
    assert status.main() == 0
    (shown,) = json.loads(capsys.readouterr().out)["sweeps"]
    assert {r["run_id"]: r["job_id"] for r in shown["runs"]} == {j.run_id: j.job_id for j in jobs}
    call("scontrol", "release", jobs[0].job_id.partition("_")[0])
    assert command("cluster", *ON_SLURM) == 0
    assert {path.name for path in sweep.iterdir()} == {"sweep.yaml", "runs.csv", "jobs.csv"}
    assert JobsFile(sweep).read() == []
    assert {path.name for path in Path().iterdir()} == {"outputs"}
    assert command("local", "hydra.launcher.n_jobs=2") == 0
    found = metrics(tmp_path / "cluster")
    assert len(found) == 4
    assert found == metrics(tmp_path / "local")


def test_what_slurm_refuses_is_one_sentence(
    command: Command, capsys: pytest.CaptureFixture
) -> None:
    assert command("refused", *ON_SLURM, "hydra.launcher.partition=nope") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: SLURM refuses the jobs: ")
    assert "partition" in line


def wait_until(is_so: Callable[[], object], act: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + LONG_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        act()
        time.sleep(0.2)


def call(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def start_held_jobs() -> None:
    """Those that were queued again, and would be held."""
    for job_id in call("squeue", "--noheader", "--states=PENDING", "--format=%i").split():
        call("scontrol", "update", f"jobid={job_id}", "StartTime=now")


def state(spec: RunSpec) -> RunState:
    run_id = str(spec.run_id)
    return read_states(spec.runs, [run_id])[run_id]


def segments(spec: RunSpec) -> list[int]:
    """The epoch from which each process trained."""
    record = state(spec).record
    return [segment.from_epoch for segment in record.segments] if record else []


def test_each_job_ends_in_its_own_way(
    make_spec: Callable[..., RunSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    canceled, killed, preempted, limited = (
        make_spec(f"seed={i}", f"trainer.epochs={epochs}")
        for i, epochs in enumerate((1000, 1000, 60, 1000))
    )
    specs = (canceled, killed, preempted, limited)
    # SLURM's warning counts as that of the time limit if submitit was given less than ten minutes
    options = SlurmOptions(cpus=1, timeout_min=5, max_requeues=1)
    folder = tmp_path / "outputs" / "sweeps" / "mine"
    folder.mkdir(parents=True)
    executor = SlurmExecutor(options, folder, SlurmQueue(options, folder / "jobs"))
    for spec in specs:
        executor.submit(spec)
    ends = dict(executor.poll(0))
    jobs = {job.run_id: job.job_id for job in JobsFile(folder).read()}
    ids = [str(spec.run_id) for spec in specs]

    def poll() -> None:
        ends.update(executor.poll(0))
        start_held_jobs()

    def warn(spec: RunSpec, *names: str) -> None:
        for name in names:
            call("scancel", f"--signal={name}", jobs[str(spec.run_id)])

    wait_until(lambda: state(preempted).epoch, poll)
    warn(preempted, "TERM", "USR2")  # at once: it is the only one that may end by itself
    wait_until(lambda: all(state(spec).epoch for spec in specs), poll)
    call("scancel", jobs[str(canceled.run_id)])
    holder = lock_holder(killed.runs, str(killed.run_id))
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    warn(limited, "USR2")
    wait_until(lambda: len(segments(limited)) == 2 and state(limited).holder, poll)
    warn(limited, "USR2")
    wait_until(lambda: not executor.live(), poll)

    told = [str(ends[run_id]) for run_id in ids]
    assert f"its SLURM job {jobs[ids[0]]} was canceled; its log: " in told[0]
    assert "was killed by SIGKILL" in told[1]
    assert told[2:] == ["None", SPENT]
    statuses = ["failed", "failed", "completed", "interrupted"]
    assert [state(spec).status for spec in specs] == statuses
    assert told[0] in str(state(canceled).reason)  # the report says it too
    for spec in (preempted, limited):
        first, second = segments(spec)
        assert second > first == 1
    assert JobsFile(folder).read() == []
