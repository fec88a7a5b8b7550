"""What the sweeper and the local launcher cost and gain: `python benchmarks/sweep.py [PART ...]`.

Each part compares two things in one session, or measures the seconds of one command:

    tiny      12 short runs of model=tiny, the local launcher against Hydra's basic one
    base      4 short runs of model=base, the same
    schedule  40 runs of known, unequal lengths (they only sleep) on 8 slots, against the ideal
    again     the same sweep once more, when all runs are done
    plan      plan=true for 100 and for 1,000 trials: time and memory, a timed step included
    warm      the time from the start of a run to its first step, in a warm worker
    busy      the share of two workers' time that runs take in a search with pruning
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cifar_exp.config.launcher import LocalOptions
from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer, settings_tree
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.metrics import read_epoch_table
from cifar_exp.storage.record import RunRecord, read_record
from cifar_exp.sweeps.launchers.local.executor import LocalExecutor
from cifar_exp.sweeps.launchers.local.worker import WorkerResult, train

ROOT = Path(__file__).resolve().parents[1]
SHORT = ("data=shapes", "data.limit_test=2000", "trainer.device=cpu", "report=false")
TINY = (
    *SHORT,
    "model=tiny",
    "data.limit_train=10000",
    "trainer.epochs=2",
    "model.width=4,6,8",
    "model.dropout=0.0,0.1",
    "seed=0,1",
)
BASE = (*SHORT, "data.limit_train=4000", "trainer.epochs=1", "seed=0,1,2,3")
MANY = ("data=shapes", "trainer.device=cpu", "model.width=range(8,108)")
WORKERS = 2
SEARCH = (
    *SHORT,
    "model=base",
    "data.limit_train=8000",
    "trainer.epochs=9",
    "optimizer.lr=tag(log,interval(0.01,1))",
    "model.dropout=interval(0,0.3)",
    "search=tpe",
    "search.runs=27",
    "pruning=asha",
    f"hydra.launcher.n_jobs={WORKERS}",
)
SLOTS, RUNS = 8, 40
MEBI = 2**20


def main() -> None:
    """Run the chosen parts and print a line for each result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for part in arguments.parts:
        for line in PARTS[part](arguments.rounds):
            print(f"{part:<9} {line}", flush=True)


def launchers(line: Sequence[str], rounds: int) -> list[str]:
    """Whole commands with both launchers in turns, each time in a new folder."""
    seconds: dict[str, list[float]] = {"basic": [], "local": []}
    for _ in range(rounds):
        for launcher, found in seconds.items():
            with tempfile.TemporaryDirectory() as folder:
                found.append(command(folder, "--multirun", *line, f"hydra/launcher={launcher}"))
    ratios = [b / own for b, own in zip(seconds["basic"], seconds["local"], strict=True)]
    return [
        *(f"{name}: {summary(found)} s" for name, found in seconds.items()),
        f"local is {summary(ratios)} times as fast",
    ]


def schedule(rounds: int) -> list[str]:
    """Runs that only sleep, through the real workers, longest first as in a sweep."""
    lengths = sorted((random.Random(0).uniform(0.5, 5) for _ in range(RUNS)), reverse=True)
    ideal = max(sum(lengths) / SLOTS, lengths[0])
    spec = RunSpec(settings(*SHORT), "sleep", [])
    specs = [replace(spec, overrides=[f"{length}"]) for length in lengths]
    shares = []
    for _ in range(rounds):
        ends = run_all(specs, SLOTS, sleep)
        began = min(float(str(reason)) for _, reason in ends)
        shares.append((max(at for at, _ in ends) - began) / ideal)
    return [f"{RUNS} runs on {SLOTS} slots took {summary(shares)} times the ideal {ideal:.1f} s"]


def again(rounds: int) -> list[str]:
    """The first command trains; the others find all runs done."""
    with tempfile.TemporaryDirectory() as folder:
        line = ("--multirun", *TINY, "trainer.epochs=1", "data.limit_train=1000")
        command(folder, *line)
        return [f"12 runs, all done: {summary([command(folder, *line) for _ in range(rounds)])} s"]


def plan(rounds: int) -> list[str]:
    """Time, and peak memory of the process."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for trials, seeds in ((100, "0"), (1000, "range(10)")):
            line = ("--multirun", *MANY, f"seed={seeds}", "plan=true")
            seconds = [command(folder, *line) for _ in range(rounds)]
            lines.append(f"{trials} trials: {summary(seconds)} s, {peak(folder, *line):.0f} MiB")
    return lines


def warm(rounds: int) -> list[str]:
    """One worker trains short runs; the first one is cold."""
    with tempfile.TemporaryDirectory() as folder:
        line = (*SHORT, "model=base")
        specs = [
            RunSpec(settings(*line, f"seed={seed}"), "base", [], Path(folder))
            for seed in range(2 * rounds + 1)
        ]
        seconds = [float(str(reason)) for _, reason in run_all(specs, 1, to_first_step)]
    return [f"first run {seconds[0]:.2f} s, {len(seconds) - 1} later ones {summary(seconds[1:])} s"]


def busy(rounds: int) -> list[str]:
    """A real search; the records say how long each run was in progress."""
    shares, lines = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            seconds = command(folder, "--multirun", *SEARCH)
            runs = [file.parent for file in Path(folder).glob("outputs/runs/*/run.json")]
            records = [(read_record(run), elapsed_seconds(run)) for run in runs]
        shares.append(busy_share(records, WORKERS))
        paused = sum(record.status == "pruned" for record, _ in records)
        lines.append(f"{len(runs)} runs, {paused} of them paused at the end, in {seconds:.0f} s")
    return [*lines, f"{WORKERS} workers are busy for {summary(shares)} of the search's time"]


def elapsed_seconds(run: Path) -> list[float]:
    """Those of metrics.csv after 0, 1, 2, ... epochs."""
    table = read_epoch_table(run / "metrics.csv")
    assert table is not None
    column = table.columns.index("elapsed_seconds")
    return [0.0, *(float(line.split(",")[column]) for line in table.lines)]


def busy_share(runs: Sequence[tuple[RunRecord, Sequence[float]]], workers: int) -> float:
    """The seconds of runs, divided by those of all workers from the first start to the last end.

    Of each run its record and the seconds after each epoch. A run that was paused and went on has
    several segments, and its record only the time of the last end.
    """
    began = min(time_of(record.segments[0].started_at) for record, _ in runs)
    ended = max(time_of(str(record.finished_at)) for record, _ in runs)
    total = 0.0
    for record, elapsed in runs:
        last = record.segments[-1]
        total += elapsed[last.from_epoch - 1]
        total += time_of(str(record.finished_at)) - time_of(last.started_at)
    return total / (workers * (ended - began))


def time_of(text: str) -> float:
    """ISO 8601 as seconds."""
    return datetime.fromisoformat(text).timestamp()


PARTS = {
    "tiny": lambda rounds: launchers(TINY, rounds),
    "base": lambda rounds: launchers(BASE, rounds),
    "schedule": schedule,
    "again": again,
    "plan": plan,
    "warm": warm,
    "busy": busy,
}


def run_all(
    specs: Sequence[RunSpec], jobs: int, train_one: Callable[[RunSpec], WorkerResult]
) -> list[tuple[float, Exception | None]]:
    """When each run ended, and its message as an exception."""
    ends = []
    with LocalExecutor(
        LocalOptions(),
        needs_accelerator=False,
        train=train_one,
        divide=lambda _accelerators: [Slot(None, 1)] * jobs,
    ) as executor:
        for number, spec in enumerate(specs):
            executor.submit(replace(spec, run_id=f"{number:010d}"))
        while executor.live():
            ends += [(time.monotonic(), reason) for reason in executor.poll(60).values()]
    return ends


def sleep(spec: RunSpec) -> WorkerResult:
    """Sleep for as long as the override says; the message is the time when it began."""
    began = time.monotonic()
    time.sleep(float(spec.overrides[0]))
    return WorkerResult("stopped", message=str(began))


def to_first_step(spec: RunSpec) -> WorkerResult:
    """Start a run and stop it at its first step; the message is the seconds until then."""
    from cifar_exp.training.trainer import Trainer

    class FirstStepError(Exception):
        pass

    began = time.monotonic()
    reached: list[float] = []

    def stop(_trainer: Trainer, _batch: object) -> None:
        reached.append(time.monotonic() - began)
        raise FirstStepError

    real, Trainer._train_step = Trainer._train_step, stop  # type: ignore[assignment, method-assign]
    try:
        train(spec)
    finally:
        Trainer._train_step = real  # type: ignore[method-assign]
    return WorkerResult("stopped", message=str(reached[0]))


def settings(*overrides: str) -> Settings:
    """The settings of a command line."""
    with open_composer(parse_arguments([])) as compose:
        return validate(settings_tree(compose.compose(overrides)))


def command(folder: str, *line: str) -> float:
    """The seconds that a command takes in `folder`."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "cifar_exp.train", *line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - began


def peak(folder: str, *line: str) -> float:
    """Peak memory of a command in MiB, measured by a process that runs nothing else."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, sys.executable, "-m", "cifar_exp.train", *line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * unit / MEBI


def summary(values: Sequence[float]) -> str:
    """The median, with the range in brackets."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
