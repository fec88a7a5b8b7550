"""How much of a grid's compute a search needs: `python benchmarks/replay.py [SWEEP ...]`.

Recorded grids are replayed: the real sources of trials and the real pruning rules decide, a run
takes the time that it took when it was recorded, and the clock is simulated. Measured is the share
of the grid's compute after which a configuration near its best has been trained to its end, over
many orders and seeds. `never`: not even when the search was over.
"""

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from recorded import RecordedGrid
from simulated import End, SimulatedSweep

from cifar_exp.config.pruning import PruningSection
from cifar_exp.config.schema import Settings
from cifar_exp.config.search import SearchSection
from cifar_exp.runs.pruning.base import Siblings
from cifar_exp.runs.pruning.registry import make_rule
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.search.base import Source
from cifar_exp.sweeps.search.grid import GridSource
from cifar_exp.sweeps.search.promotion import Live, PromotingSource
from cifar_exp.sweeps.search.source import SearchSource

RESULTS = Path(__file__).resolve().parent / "results"
SWEEPS = (
    RESULTS / "width_dropout/sweeps/width_dropout",
    RESULTS / "wide_grid/sweeps/wide_grid",
)
NOWHERE = Path("replay")  # a sweep's outputs, which are neither written nor there
POINTS = (0.5, 1.0)  # percentage points below the grid's best that are near it
SLOW = "tpe"  # a proposal takes 100 times as long as a random one
METHODS = (
    "grid",
    "grid+asha",
    "random",
    "random+asha",
    "random+median",
    "random+top_k",
    "quasirandom",
    "quasirandom+asha",
    "tpe",
    "tpe+asha",
    "tpe+median",
    "tpe+top_k",
)


@dataclass(frozen=True)
class Method:
    """A source of trials, `grid` or a sampler, and a pruning rule with its parameters."""

    sampler: str
    pruning: PruningSection

    @classmethod
    def named(cls, name: str, pruning: PruningSection) -> "Method":
        """`random+asha`: the sampler, then the rule."""
        sampler, _, rule = name.partition("+")
        return cls(sampler, pruning.model_copy(update={"name": rule or "none"}))


@dataclass(frozen=True)
class Job:
    """One replay of the sweep at `folder`; `number` seeds the sampler, or the grid's order."""

    folder: Path
    method: Method
    workers: int
    number: int


def main() -> None:
    """Print a table for each sweep and number of workers."""
    arguments = parse()
    pruning = PruningSection(
        grace=arguments.grace, reduction=arguments.reduction, top=arguments.top
    )
    print(
        f"asha: grace {pruning.grace}, reduction {pruning.reduction}; median: grace "
        f"{pruning.grace}; top_k: grace {pruning.grace}, top {pruning.top}"
    )
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for folder in arguments.sweeps:
            print(f"\n{describe(recorded(folder))}")
            for workers in arguments.workers:
                print(f"\n{workers} worker{'s' if workers > 1 else ''}\n{HEADER}", flush=True)
                for name in arguments.methods:
                    n = arguments.slow_replays if name.startswith(SLOW) else arguments.replays
                    method = Method.named(name, pruning)
                    jobs = [Job(folder, method, workers, number) for number in range(n)]
                    found = list(pool.map(measure, jobs, chunksize=5))
                    print(line(name, pd.DataFrame(found)), flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweeps", nargs="*", type=Path, default=SWEEPS, help="folders of sweeps")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--slow-replays", type=int, default=200, help=f"of methods with {SLOW}")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="replays at a time")
    defaults = PruningSection()
    parser.add_argument("--grace", type=int, default=defaults.grace)
    parser.add_argument("--reduction", type=int, default=defaults.reduction)
    parser.add_argument("--top", type=int, default=defaults.top)
    return parser.parse_args()


@cache
def recorded(folder: Path) -> RecordedGrid:
    """The grid of a sweep, read once by each process."""
    return RecordedGrid.load(folder)


def measure(job: Job) -> dict[str, float]:
    """By points, the share of the grid's compute until it was found; `seconds` of the replay."""
    began = time.process_time()
    grid = recorded(job.folder)
    wanted = {points: grid.near_best(points) for points in POINTS}
    shares = dict.fromkeys(POINTS, np.inf)
    for end in ends(grid, job):
        for points, configurations in wanted.items():
            if end.is_complete and end.run.configuration in configurations:
                shares[points] = min(shares[points], end.pflop / grid.pflop)
        if np.isfinite(list(shares.values())).all():
            break
    named = {f"{points}": share for points, share in shares.items()}
    return {**named, "seconds": time.process_time() - began}


def ends(grid: RecordedGrid, job: Job) -> Iterator[End]:
    """The ends of the runs of one replay."""
    plan = make_plan(grid, job)
    rule = make_rule(job.method.pruning)
    source = partial(make_source, grid, job, plan)
    return SimulatedSweep(grid, plan, source, rule, job.workers).play()


def make_plan(grid: RecordedGrid, job: Job) -> Plan:
    """Of a search without runs; of a grid with all of them, in an order of this replay's own."""
    search = SearchSection(
        name="none" if job.method.sampler == "grid" else job.method.sampler,
        runs=len(grid.runs),
        seeds=len(grid.seeds),
        seed=job.number,
    )
    runs = [run.planned for run in grid.runs.values()]
    random = np.random.default_rng(job.number)
    order = random.permutation(len(runs)).tolist() if search.name == "none" else []
    update = {"search": search, "pruning": job.method.pruning, "seed": grid.seeds[0]}
    settings: Settings = runs[0].trial.settings.model_copy(update=update)
    return Plan(
        name=grid.name,
        keys=[dimension.key for dimension in grid.space.dimensions],
        runs=[runs[place] for place in order],
        trials=len(runs),
        fixed={},
        outputs=NOWHERE,
        example=replace(runs[0].trial, settings=settings),
    )


def make_source(
    grid: RecordedGrid, job: Job, plan: Plan, folder: SweepFolder, siblings: Siblings, live: Live
) -> Source:
    """The source of trials as a command makes it, but for the folder."""
    source: Source
    if job.method.sampler == "grid":
        source = GridSource(plan)
    else:
        source = search = SearchSource(plan, grid.space, grid.make_run)
        search.folder = folder
    rule = make_rule(job.method.pruning)
    return source if rule is None else PromotingSource(source, rule, siblings, plan.name, live)


def describe(grid: RecordedGrid) -> str:
    """Lines on what is searched."""
    near = ", ".join(f"{len(grid.near_best(points))} within {points} pp" for points in POINTS)
    return (
        f"{grid.name}: {len(grid.accuracies)} configurations, {len(grid.runs)} runs, "
        f"{grid.pflop:.3g} PFLOP; best {100 * max(grid.accuracies.values()):.2f} %; {near}"
    )


HEADER = (
    f"{'':<18}{'n':>5}"
    + "".join(f"  {f'within {p} pp':<22}{'found':>6}" for p in POINTS)
    + "  s/100"
)


def line(name: str, found: pd.DataFrame) -> str:
    """Median and quartiles of the share, and in how many replays it was found at all."""
    cells = ""
    for points in POINTS:
        shares = found[f"{points}"]
        low, middle, high = (
            share_text(q) for q in np.quantile(shares, [0.25, 0.5, 0.75], method="higher")
        )
        cells += f"  {f'{middle} ({low} to {high})':<22}{np.isfinite(shares).mean():>6.0%}"
    return f"{name:<18}{len(found):>5}{cells}  {100 * found['seconds'].mean():>5.0f}"


def share_text(share: float) -> str:
    """A share of the grid's compute."""
    return f"{share:.3f}" if np.isfinite(share) else "never"


if __name__ == "__main__":
    main()
