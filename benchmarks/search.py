"""What a search costs and gains: `python benchmarks/search.py [PART ...]`.

    proposal   CPU seconds of a proposal at 1,000 runs of the search, also with 1,000 of another
               sweep, reading the run folders included: the first of a process, then 20 more
    liar       TPE with and without Optuna's constant liar for running trials, 8 at a time: the best
               of 40 on made-up surfaces, 100 pairs of searches on equal ones
    stop       search.stop_at_noise with TPE on such surfaces, SD 0.3 points between seeds: when it
               stops, and what it misses of the best that 160 configurations find, 30 searches

Nothing is trained: run folders are made up.
"""

import argparse
import hashlib
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from made_runs import make_run_folder

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer, settings_tree
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.search.optuna_study import distributions
from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.samplers.independent import RandomSampler
from cifar_exp.sweeps.search.source import SearchSource
from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.sweeps.search.stopping import gained_by_second_half
from cifar_exp.sweeps.states import StateReader
from cifar_exp.sweeps.trial import Trial

OWN = FOREIGN = 1000
EPOCHS = 20
SPACE = Space(
    (
        Dimension("optimizer.lr", "float", 1e-3, 1.0, is_log=True),
        Dimension("optimizer.weight_decay", "float", 1e-5, 1e-2, is_log=True),
        Dimension("optimizer.momentum", "float", 0.5, 0.99),
        Dimension("model.width", "int", 8, 192),
        Dimension("model.dropout", "float", 0.0, 0.5),
        Dimension("trainer.label_smoothing", "float", 0.0, 0.4),
    )
)
LATER = 20
PAIRS, RUNS, AT_A_TIME = 100, 40, 8
SEARCHES, LONG = 30, 160
NOISE = 0.003


def main() -> None:
    """Run the chosen parts and print a line for each result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    for part in parser.parse_args().parts:
        for line in PARTS[part]():
            print(f"{part:<9} {line}", flush=True)


def proposal() -> Iterator[str]:
    """The cost of a proposal by sampler."""
    with open_composer(parse_arguments([])) as composer:
        settings = validate(settings_tree(composer.compose(())))
    for sampler, foreign in product(("random", "quasirandom", "tpe", "cmaes"), (0, FOREIGN)):
        with tempfile.TemporaryDirectory() as folder:
            first, later = _timed(_made_plan(Path(folder), settings, sampler, foreign))
        yield (
            f"{sampler}, {foreign} of another sweep: first {first:.2f} s, then "
            f"{statistics.median(later):.3f} ({min(later):.3f} to {max(later):.3f}) s"
        )


def _timed(plan: Plan) -> tuple[float, list[float]]:
    """CPU seconds of the first proposal of a process and of 20 later ones."""
    seconds = []
    start = time.process_time()
    source, reader = (
        SearchSource(plan, SPACE, _make_run(plan.settings)),
        StateReader(plan.runs_folder),
    )
    for _ in range(1 + LATER):
        states = reader.read(source.runs)
        (run,) = source.propose(states, set(), 1)
        seconds.append(time.process_time() - start)
        _train(plan, run.run_id, run.trial.values)
        start = time.process_time()
    return seconds[0], seconds[1:]


def _made_plan(outputs: Path, settings: Settings, sampler: str, foreign: int) -> Plan:
    section = settings.search.model_copy(update={"name": sampler, "runs": 50_000})
    searched = settings.model_copy(update={"search": section})
    plan = Plan("made", (), (), 0, {}, outputs, example=Trial(searched, "made", (), {}))
    make_run = _make_run(searched)
    draws = RandomSampler(SPACE, 1)
    own = {}
    for number in range(OWN + foreign):
        values = next(draws.candidates((), number))
        run = make_run(values, 0)
        _train(plan, run.run_id, values)
        if number < OWN:
            own[run.run_id] = values
    plan.folder.mkdir(parents=True)
    SearchSource(plan, SPACE, make_run).folder.extend(lambda _: own)
    return plan


def _make_run(settings: Settings) -> Any:
    def make(values: Mapping[str, Any], seed: int) -> PlannedRun:
        run_id = hashlib.sha256(f"{sorted(values.items())} {seed}".encode()).hexdigest()[:10]
        return PlannedRun(run_id, Trial(settings, "made", (), values), None)

    return make


def _train(plan: Plan, run_id: str, values: Mapping[str, Any]) -> None:
    make_run_folder(plan.outputs, run_id, 0, dict(values), _surface(0, values), EPOCHS)


def liar() -> Iterator[str]:
    """How much the constant liar gains."""
    gains = []
    for seed in range(PAIRS):
        best = {lies: _best_of_search(seed, lies=lies) for lies in (False, True)}
        gains.append(100 * (best[True] - best[False]))
    mean, error = statistics.mean(gains), statistics.stdev(gains) / math.sqrt(PAIRS)
    yield (
        f"best of {RUNS}, {AT_A_TIME} at a time, {PAIRS} pairs: with the liar {mean:+.2f} points "
        f"of accuracy (95 % {mean - 2 * error:+.2f} to {mean + 2 * error:+.2f}); "
        f"better in {sum(gain > 0 for gain in gains)}, worse in {sum(gain < 0 for gain in gains)}"
    )


def _best_of_search(seed: int, *, lies: bool) -> float:
    """The best true accuracy of a search whose runs end in the order in which they began."""
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=lies)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    noise = np.random.default_rng(seed)
    running: list[optuna.Trial] = []
    known, best = distributions(SPACE), 0.0
    for number in range(RUNS):
        if number >= AT_A_TIME:
            best = max(best, _ended(study, running.pop(0), seed, noise))
        running.append(study.ask(known))  # type: ignore[arg-type]
    return max(best, *(_ended(study, trial, seed, noise) for trial in running))


def stop() -> Iterator[str]:
    """When a search stops by itself, and what that costs."""
    places, missed = zip(*map(_stopped, range(SEARCHES)), strict=True)
    yield (
        f"stops after {statistics.median(places):.0f} ({min(places)} to {max(places)}) of {LONG} "
        f"configurations, and misses {100 * statistics.mean(missed):.2f} points on average, more "
        f"than {100 * NOISE:.1f} in {sum(each > NOISE for each in missed)} of {SEARCHES} searches"
    )


def _stopped(seed: int) -> tuple[int, float]:
    """After how many configurations a search stops, and how much better its best is at the end."""
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=False)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    noise, seen, true = np.random.default_rng(seed), list[Observation](), list[float]()
    for _ in range(LONG):
        trial = study.ask(distributions(SPACE))  # type: ignore[arg-type]
        true.append(_ended(study, trial, seed, noise))
        seen.append(Observation({}, study.trials[-1].value or 0.0, 0.0))
    halves = ((n, gained_by_second_half(seen[:n])) for n in range(1, LONG))
    at = next((n for n, gained in halves if gained is not None and gained < NOISE), LONG)
    ranked = [max(range(n), key=lambda place: seen[place].accuracy) for n in (at, LONG)]
    return at, true[ranked[1]] - true[ranked[0]]


def _ended(
    study: optuna.Study, trial: optuna.Trial, seed: int, noise: np.random.Generator
) -> float:
    accuracy = _surface(seed, trial.params)
    study.tell(trial, accuracy + noise.normal(0, NOISE))
    return accuracy


def _surface(seed: int, values: Mapping[str, Any]) -> float:
    """A made-up accuracy with its best values at random places, and one interaction."""
    random = np.random.default_rng(seed)
    best, weights = random.uniform(0.2, 0.8, 6), random.uniform(0.05, 0.6, 6)
    places = np.array([_place(each, values[each.key]) for each in SPACE.dimensions])
    away = places - best
    return float(0.7 - weights @ away**2 - 0.3 * abs(away[0] * away[1]))


def _place(dimension: Dimension, value: float) -> float:
    assert dimension.low is not None
    assert dimension.high is not None
    scale = math.log if dimension.is_log else float
    low, high = scale(dimension.low), scale(dimension.high)
    return (scale(value) - low) / (high - low)


PARTS = {"proposal": proposal, "liar": liar, "stop": stop}

if __name__ == "__main__":
    main()
