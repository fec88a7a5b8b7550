"""What pruning costs: `python benchmarks/pruning.py [PART ...]`, in seconds of CPU time.

    decision  a rule's answer after an epoch, with 1,000 siblings of 20 epochs
    propose   what is promoted, with 1,000 paused runs
    pause     pausing a run of model=tiny and going on with it later, in one process

CPU time, because other work may be running; the files are in the cache of a local disk.
"""

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from made_runs import make_runs

from cifar_exp.config.identity import run_id
from cifar_exp.config.pruning import PruningSection
from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.data.registry import Loader
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer, settings_tree
from cifar_exp.runs.execute import execute
from cifar_exp.runs.pruning.base import PausedError
from cifar_exp.runs.pruning.pruner import Pruner
from cifar_exp.runs.pruning.registry import make_rule
from cifar_exp.runs.pruning.siblings import SweepSiblings
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import PrunedInfo, RunRecord
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.search.grid import GridSource
from cifar_exp.sweeps.search.promotion import with_promotion
from cifar_exp.sweeps.states import StateReader
from cifar_exp.sweeps.trial import Trial

SIBLINGS, EPOCHS, LATER = 1000, 20, 40
TINY = ("data=shapes", "data.limit_train=2000", "data.limit_test=500", "model=tiny")
ONE_THREAD = ("trainer.device=cpu", "trainer.threads=1", "trainer.progress=none")


def main() -> None:
    """Run the chosen parts and print a line for each result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    for part in arguments.parts:
        for line in PARTS[part](arguments.rounds):
            print(f"{part:<9} {line}", flush=True)


def decision(rounds: int) -> list[str]:
    """Of the median rule, which is asked after every epoch; asha is asked at a few of them."""
    with tempfile.TemporaryDirectory() as folder:
        outputs, (own, *ids) = made_sweep(folder)
        extend(outputs, own, LATER)  # it is ahead of its siblings
        cold, known, none, few, every = [], [], [], [], []
        for _ in range(rounds):
            pruner = pruner_for(outputs, own)
            cold.append(cpu_ms(ask, pruner, EPOCHS))
            known.append(cpu_ms(ask, pruner, EPOCHS))
            none.append(cpu_ms(ask, pruner, LATER))
            touch(outputs, ids[:8])
            few.append(cpu_ms(ask, pruner, LATER))
            touch(outputs, ids)
            every.append(cpu_ms(ask, pruner, LATER))
    return [
        f"first of a process, all files are read: {summary(cold)} ms",
        f"later, all siblings are known to have reached the epoch: {summary(known)} ms",
        f"later, none has, and all files are looked up: {summary(none)} ms",
        f"the same, and 8 files have changed: {summary(few)} ms",
        f"the same, and all other files have changed: {summary(every)} ms",
    ]


def propose(rounds: int) -> list[str]:
    """The states are read as a sweep reads them, from its second look on."""
    with tempfile.TemporaryDirectory() as folder:
        outputs, ids = made_sweep(folder)
        for each in ids:
            path = outputs / "runs" / f"made-{each}"
            record = RunRecord.load(path)
            assert record is not None
            pruned = PrunedInfo(sweep="made", rule="asha", epoch=EPOCHS)
            record.model_copy(update={"status": "pruned", "pruned": pruned}).save(path)
        section = PruningSection.model_validate({"name": "asha", "grace": EPOCHS})
        settings = compose(*TINY, f"trainer.epochs={LATER}").model_copy(update={"pruning": section})
        trial = Trial(settings, "made", (), {})
        runs = [PlannedRun(each, trial, None) for each in ids]
        plan = Plan("made", (), runs, len(runs), {}, outputs=outputs)
        source = with_promotion(GridSource(plan), plan, set)
        reader = StateReader(plan.runs_folder)

        def look() -> None:
            source.propose(reader.read(ids), set(), 1)

        look()
        seconds = [cpu_ms(look) for _ in range(rounds)]
    return [f"{summary(seconds)} ms, the states of all runs included"]


def pause(rounds: int) -> list[str]:
    """Four epochs in one go, or paused after the first and the second: in turns, one process."""
    load = Loader()
    at_once: list[float] = []
    paused: list[float] = []
    for seed in range(rounds + 1):
        for rule, seconds in (("none", at_once), ("asha", paused)):
            with tempfile.TemporaryDirectory() as folder:
                spec = tiny_spec(Path(folder), seed, rule)
                segments = 3 if rule == "asha" else 1
                times = [cpu_ms(execute, spec, load) / 1000 for _ in range(segments)]
                seconds.append(sum(times))
    costs = [(b - a) / 2 for a, b in zip(at_once[1:], paused[1:], strict=True)]  # the first is cold
    return [
        f"4 epochs take {summary(at_once[1:])} s; each pause costs {summary(costs)} s more",
    ]


def made_sweep(folder: str) -> tuple[Path, list[str]]:
    """The outputs folder of a sweep of as many configurations, and the ids of its runs."""
    outputs = Path(folder)
    make_runs(outputs, SIBLINGS, EPOCHS)
    table = outputs / "sweeps" / "made" / "runs.csv"
    with table.open() as stream:
        ids = [row["run_id"] for row in csv.DictReader(stream)]
    rows = [f"{each},,pending,{number}" for number, each in enumerate(ids)]
    table.write_text("\n".join(["run_id,folder,status,optimizer.lr", *rows]) + "\n")
    return outputs, ids


def pruner_for(outputs: Path, run: str) -> Pruner:
    """What a new process asks."""
    rule = make_rule(PruningSection.model_validate({"name": "median"}))
    assert rule is not None
    trainer = compose(*TINY, f"trainer.epochs={LATER + 1}").trainer
    return Pruner(rule, SweepSiblings(outputs / "sweeps" / "made"), run, "made", trainer)


def ask(pruner: Pruner, epoch: int) -> None:
    """One answer, whichever it is."""
    with suppress(PausedError):
        pruner.check(epoch)


def extend(outputs: Path, run: str, epochs: int) -> None:
    """Repeat the last epoch of a run until it has as many."""
    path = outputs / "runs" / f"made-{run}" / "metrics.csv"
    lines = path.read_text().splitlines()
    cells = lines[-1].partition(",")[2]
    lines += [f"{epoch},{cells}" for epoch in range(len(lines), epochs + 1)]
    path.write_text("\n".join(lines) + "\n")


def touch(outputs: Path, ids: Sequence[str]) -> None:
    """Replace the files of these runs by new ones, as a new epoch does."""
    for each in ids:
        path = outputs / "runs" / f"made-{each}" / "metrics.csv"
        new = path.with_name("new")
        new.write_text(path.read_text())
        new.replace(path)


def tiny_spec(outputs: Path, seed: int, rule: str) -> RunSpec:
    """A run of a sweep that has no other."""
    words = (f"seed={seed}", f"pruning={rule}", "pruning.reduction=2", "trainer.epochs=4")
    spec = RunSpec(compose(*TINY, *ONE_THREAD, *words), "tiny", (), outputs)
    sweep = outputs / "sweeps" / "one"
    sweep.mkdir(parents=True)
    identity = run_id(spec.settings)
    (sweep / "runs.csv").write_text(f"run_id,folder,status\n{identity},,\n")
    return replace(spec, run_id=identity, sweep="one")


def compose(*overrides: str) -> Settings:
    """The settings of a command line."""
    with open_composer(parse_arguments([])) as composer:
        return validate(settings_tree(composer.compose(overrides)))


def cpu_ms(action: Callable[..., object], *arguments: Any) -> float:
    """Milliseconds of CPU time."""
    before = time.process_time()
    action(*arguments)
    return 1000 * (time.process_time() - before)


def summary(values: Sequence[float]) -> str:
    """The median and the range."""
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


PARTS = {"decision": decision, "propose": propose, "pause": pause}

if __name__ == "__main__":
    main()
