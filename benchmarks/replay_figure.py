"""The README's figure of searches: `python benchmarks/replay_figure.py docs/search_progress.png`.

The best val accuracy so far by the share of a recorded grid's compute, over replays of it: the
median, and quartiles as a band. A line ends where half of the replays have ended, or at 45 %.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter
from PIL import Image
from replay import SLOW, SWEEPS, Job, Method, ends, recorded

from cifar_exp.analysis.figures.drawing.progress import draw_series
from cifar_exp.analysis.figures.drawing.save import figure_style
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.config.pruning import PruningSection

SHARES = np.linspace(0, 0.45, 181)  # beyond, hardly anything is gained
TITLE = "Best validation accuracy so far by the compute spent"
LABELS = {"grid": "grid, longest first"}
LEAST = 0.4  # accuracy that is shown
COLORS = 64  # of the file, which is small then


def main() -> None:
    """Replay and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sweep", type=Path, default=SWEEPS[-1], help="folder of the sweep")
    parser.add_argument(
        "--methods", nargs="+", default=["tpe+asha", "tpe", "random+asha", "random", "grid"]
    )
    parser.add_argument("--replays", type=int, default=300)
    parser.add_argument("--slow-replays", type=int, default=50, help=f"of methods with {SLOW}")
    parser.add_argument("--jobs", type=int, default=1, help="replays at a time")
    defaults = PruningSection()
    parser.add_argument("--grace", type=int, default=defaults.grace)
    parser.add_argument("--reduction", type=int, default=defaults.reduction)
    arguments = parser.parse_args()
    pruning = PruningSection(grace=arguments.grace, reduction=arguments.reduction)
    tables = []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for name in arguments.methods:
            n = arguments.slow_replays if name.startswith(SLOW) else arguments.replays
            method = Method.named(name, pruning)
            jobs = [Job(arguments.sweep, method, 1, number) for number in range(n)]
            tables.append(summary(LABELS.get(name, name), list(pool.map(best_so_far, jobs))))
    draw(pd.concat(tables), arguments.file, describe_replays(arguments))


def describe_replays(arguments: argparse.Namespace) -> str:
    """The note below the title."""
    grid = recorded(arguments.sweep)
    return (
        f"{arguments.replays} orders or seeds ({arguments.slow_replays} of {SLOW}) of a recorded "
        f"grid of {len(grid.runs)} runs: medians, and bands of quartiles. asha: grace "
        f"{arguments.grace}, reduction {arguments.reduction}."
    )


def best_so_far(job: Job) -> np.ndarray:
    """The best accuracy at each of SHARES, NaN before the first completed run and after the end."""
    grid = recorded(job.folder)
    found = np.full(len(SHARES), np.nan)
    last = 0.0
    for end in ends(grid, job):
        last = end.pflop / grid.pflop
        if end.is_complete:
            after = last - 1e-9 <= SHARES
            found[after] = np.fmax(found[after], grid.accuracies[end.run.configuration])
        if last > SHARES[-1]:
            break
    found[last + SHARES[1] < SHARES] = np.nan
    return found


def summary(name: str, replays: Sequence[np.ndarray]) -> pd.DataFrame:
    """Median and quartiles at each share at which at least half of the replays have a value."""
    table = np.array(replays)
    known = np.isfinite(table).mean(axis=0) >= 0.5
    low, middle, high = np.nanquantile(table[:, known], [0.25, 0.5, 0.75], axis=0)
    columns = {"compute": SHARES[known], "best": middle, "low": low, "high": high}
    return pd.DataFrame({"series": name, **columns})


def draw(table: pd.DataFrame, file: Path, note: str) -> None:
    """Write the figure as a small PNG."""
    with figure_style():
        figure = draw_series(table, METRICS["val_accuracy"], TITLE, note)
        axes = figure.axes[0]
        axes.set_xlabel("compute spent (share of the whole grid's)")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlim(0, SHARES[-1])
        axes.set_ylim(bottom=100 * LEAST)
        figure.savefig(file)
    Image.open(file).convert("RGB").quantize(COLORS, Image.Quantize.FASTOCTREE).save(file)


if __name__ == "__main__":
    main()
