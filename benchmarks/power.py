"""How often a report claims what is true, and what is not: `python benchmarks/power.py`.

Sweeps of 3 widths x 3 dropouts with known true means are made up, and judged by the same functions
as those of a report. Every figure but the biases is a percentage of sweeps; `!` marks one that
misses its target. Options choose scenarios.

Found is counted among the largest true differences of a family: of the effects, width 32; of the
comparisons with the picked best, all others than the true best, and none if another was picked.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from made_sweeps import SD, Noise, Sweep, judged, of_the_best, verdict

from cifar_exp.analysis.statistics.model import CellModel

UNEVEN = (0.08, 0.85, 0.2, 0.6, 0.4, 0.75, 0.1, 0.5, 0.3)
NOISES = {
    "equal SDs": Noise(),
    "seed 0.5": Noise(seed=0.5),
    "seed x width 0.25": Noise(width=0.25),
    "seed x dropout 0.25": Noise(dropout=0.25),
    "seed x both 0.25": Noise(width=0.25, dropout=0.25),
    "seed x width 0.5": Noise(width=0.5),
    "seed x dropout 0.5": Noise(dropout=0.5),
    "seed x both 0.5": Noise(width=0.5, dropout=0.5),
    "uneven SDs": Noise(UNEVEN),
    "uneven, reversed": Noise(UNEVEN[::-1]),
    "uneven by width": Noise(tuple(np.repeat((0.08, 0.3, 0.85), 3))),
}


def width_32(size: float) -> np.ndarray:
    """Points by which each configuration (9,) of the largest width is better."""
    return np.repeat([0.0, 0.0, size], 3)


def corner(size: float) -> np.ndarray:
    """Points by which the last configuration alone is better, which is an interaction too."""
    return np.append(np.zeros(8), size)


NULL = corner(0.0)
REAL = {
    "effect 0.5": width_32(0.5),
    "effect 1": width_32(1.0),
    "effect 2": width_32(2.0),
    "corner 1": corner(1.0),
    "corner 2": corner(2.0),
}
FAMILIES = ("effects", "interactions", "comparisons")
FEW = 1000  # sweeps for what is said about the best, which takes longer
MODES = {"": "picked", "b ": "baseline"}  # what comparisons refer to, by the columns' prefix
BEST = {"none": NULL, "1": REAL["corner 1"]}
POWERS = {  # the column's truth, reference of comparisons and family
    "effect 0.5": ("effect 0.5", "picked", "effects"),
    "effect 1": ("effect 1", "picked", "effects"),
    "effect 2": ("effect 2", "picked", "effects"),
    "best 1": ("corner 1", "picked", "comparisons"),
    "best 2": ("corner 2", "picked", "comparisons"),
    "base 1": ("corner 1", "baseline", "comparisons"),
    "base 2": ("corner 2", "baseline", "comparisons"),
    "inter 2": ("corner 2", "picked", "interactions"),
    "b effect 1": ("effect 1", "baseline", "effects"),
    "b inter 2": ("corner 2", "baseline", "interactions"),
}
TARGETS = {  # at least this many percent, with 3 seeds
    ("equal SDs", "effect 1"): 75.0,
    ("equal SDs", "effect 2"): 98.0,
    ("equal SDs", "base 2"): 88.0,
    ("equal SDs", "best 2"): 78.0,
    ("seed x both 0.25", "effect 1"): 50.0,
}
LARGEST_ERROR, COVERAGE = 5.5, 94.0
WORTH = 0.5
Table = dict[str, dict[str, str]]  # by row and column


def main() -> None:
    """Print the tables for each number of seeds, then one on equivalence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000, help="sweeps with a real effect")
    parser.add_argument("--null", type=int, default=4000, help="sweeps in which nothing differs")
    parser.add_argument("--seeds", type=int, nargs="*", default=[3])
    parser.add_argument("--equivalence", type=int, nargs="*", default=[3, 5, 10], help="seeds")
    parser.add_argument("--noise", nargs="*", default=list(NOISES), choices=list(NOISES))
    chosen = parser.parse_args()
    print(f"3 x 3 grid, SD between seeds {SD} points unless said otherwise. Simulated sweeps:")
    for what, n in (("a real effect", chosen.replicates), ("no effect", chosen.null)):
        errors = ", ".join(f"{100 * (p * (1 - p) / n) ** 0.5:.2f} at {p:.0%}" for p in (0.05, 0.5))
        print(f"  {n:>6,} with {what:<14} (standard errors in points: {errors})")
    for seeds in chosen.seeds:
        found = {}
        for name in chosen.noise:
            found[name] = Simulated(NOISES[name], seeds, chosen.replicates, chosen.null)
            rows = [row(name, found[name]) for row in TABLES.values()]
            print(seeds, name, *rows, sep="\n", file=sys.stderr, flush=True)  # progress
        for title, row in TABLES.items():
            table = {name: row(name, simulated) for name, simulated in found.items()}
            print("", f"{seeds} seeds. {title}", *lines(table), sep="\n", flush=True)
    if chosen.equivalence:
        verdicts = {f"{n} seeds": equivalence(n, chosen.replicates) for n in chosen.equivalence}
        title = f"Equal SDs. Verdict on an effect if {WORTH} points matter (--worth {WORTH})"
        print("", title, *lines(verdicts), sep="\n")


class Simulated:
    """Means over the simulated sweeps of one kind of noise.

    `null` and `real` (by truth) have the keys of `judged`; `best` those of `of_the_best`, by the
    points that one configuration leads by.
    """

    def __init__(self, noise: Noise, seeds: int, replicates: int, nulls: int) -> None:
        random = np.random.default_rng(0)
        sweeps = [Sweep(noise.draw(random, seeds)) for _ in range(max(nulls, replicates))]
        self.null = _means(judged, sweeps[:nulls], NULL)
        self.real = {n: _means(judged, sweeps[:replicates], truth) for n, truth in REAL.items()}
        few = sweeps[: min(replicates, FEW)]
        self.best = {name: _means(of_the_best, few, truth) for name, truth in BEST.items()}


def _means(
    measure: Callable[[CellModel, np.ndarray], Mapping[str, float]],
    sweeps: Sequence[Sweep],
    truth: np.ndarray,
) -> pd.Series:
    return pd.DataFrame([measure(sweep.model(truth), truth) for sweep in sweeps]).mean()


def powers(noise: str, found: Simulated) -> dict[str, str]:
    """How often each true difference is found."""
    row = {}
    for column, (truth, mode, family) in POWERS.items():
        share = 100 * found.real[truth][f"{mode} {family} found"]
        row[column] = _marked(share, share < TARGETS.get((noise, column), 0.0))
    return row


def null_errors(_noise: str, found: Simulated) -> dict[str, str]:
    """How often something is claimed where nothing differs."""
    row = {}
    for prefix, mode in MODES.items():
        for family in ("box", *FAMILIES):
            share = 100 * found.null[f"{mode} {family} false"]
            row[f"{prefix}{family}"] = _marked(share, share > LARGEST_ERROR)
    return row


def family_errors(_noise: str, found: Simulated) -> dict[str, str]:
    """How often a family claims something false, for the worst of the real effects."""
    row = {}
    for prefix, mode in MODES.items():
        for family in FAMILIES:
            worst = 100 * max(real[f"{mode} {family} false"] for real in found.real.values())
            row[f"{prefix}{family}"] = _marked(worst, worst > LARGEST_ERROR)
    return row


def best_row(_noise: str, found: Simulated) -> dict[str, str]:
    """The best's interval, the candidates, and the biases of the two means of the best."""
    row = {}
    for name, means in found.best.items():
        covered = 100 * means["covered"]
        row[f"{name} covered"] = _marked(covered, covered < COVERAGE)
        row[f"{name} in set"] = _marked(100 * means["is candidate"], means["is candidate"] < 0.945)
        row[f"{name} set"] = f"{means['candidates']:.1f}"
        row[f"{name} bias"] = f"{means['bias']:+.2f}"
        row[f"{name} honest"] = f"{means['honest bias']:+.2f}"
    return row


def equivalence(seeds: int, replicates: int) -> dict[str, str]:
    """Verdicts on the effect of width 32 where it is none, and where it is just what matters."""
    random = np.random.default_rng(1)
    sweeps = [Sweep(Noise().draw(random, seeds)) for _ in range(replicates)]
    row = {}
    for size in (0.0, WORTH):
        verdicts = [verdict(sweep.model(width_32(size)), 1, WORTH) for sweep in sweeps]
        for word in ("equivalent", "better"):
            share = 100 * verdicts.count(word) / replicates
            is_error = size > 0 and word == "equivalent"
            row[f"{word} at {size}"] = _marked(share, is_error and share > LARGEST_ERROR)
    return row


def _marked(share: float, is_missed: bool) -> str:
    return f"{share:.1f}{'!' if is_missed else ' '}"


def lines(table: Table) -> Iterator[str]:
    """The table as text."""
    columns = list(next(iter(table.values())))
    width = max(len(name) for name in table)
    widths = [max(len(column), 6) for column in columns]
    yield "  ".join([" " * width, *(f"{c:>{n}}" for c, n in zip(columns, widths, strict=True))])
    for name, row in table.items():
        cells = [f"{row[c]:>{n}}" for c, n in zip(columns, widths, strict=True)]
        yield "  ".join([f"{name:<{width}}", *cells])


TABLES = {
    "Power: how often a difference of this many points is found (b: with a named baseline)": powers,
    "False claims where nothing differs: the whole report, and each family": null_errors,
    "False claims of a family where something differs: the worst of five effects": family_errors,
    "The best, where none leads and where one leads by 1 point": best_row,
}


if __name__ == "__main__":
    main()
