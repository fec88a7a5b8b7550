"""CPU time and memory of a report by the number of runs: `python benchmarks/report.py [RUNS ...]`.

27 runs are those of results/width_dropout, with their predictions; any other number of runs is made
up by made_runs.py (50 epochs each, no predictions). Measured are the tables and the page, the same
with the figures, and the report once more when nothing has changed. CPU time is that of the command
and of the process that it draws in, which other work on the machine changes less than the time on
the clock. `--rival FOLDER` is another checkout of the project, whose command draws its figures
anyway: the two take turns, `--rounds` times, and medians are printed with the range.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from made_runs import make_runs

EPOCHS = 50
ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "benchmarks" / "results" / "width_dropout"
REAL_RUNS = 27


@dataclass(frozen=True)
class Cost:
    """CPU time in seconds, user and system, and the peak memory in MB, of a process and its own."""

    seconds: float
    megabytes: float


def main() -> None:
    """Print the costs for each number of runs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="*", type=int, default=[REAL_RUNS, 1000, 10000])
    parser.add_argument("--rival", type=Path, help="another checkout, to measure in turns")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: 3)")
    arguments = parser.parse_args()
    for runs in arguments.runs:
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name), runs, arguments.rival, arguments.rounds)


def measure(folder: Path, runs: int, rival: Path | None, rounds: int) -> None:
    """Print a line for each command."""
    outputs = folder / "outputs"
    if runs == REAL_RUNS:
        shutil.copytree(REAL, outputs)
    else:
        make_runs(outputs, runs, EPOCHS)
    found: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(rounds):
        for name, cost in turn(outputs, folder / "report", rival):
            found[name].append(cost)
    print(f"{runs} runs{' of width_dropout' if runs == REAL_RUNS else ''}")
    for name, costs in found.items():
        print(f"  {name:<36} {described(costs)}", flush=True)


def turn(outputs: Path, report: Path, rival: Path | None) -> Iterator[tuple[str, Cost]]:
    """Each command once, into a new folder."""
    line = [str(outputs), "--output", str(report)]
    yield "tables, answer and page", command(ROOT, *line, "--figures", "none")
    shutil.rmtree(report)
    yield "with figures", command(ROOT, *line)
    yield "once more, nothing changed", command(ROOT, *line)
    shutil.rmtree(report)
    if rival is not None:
        yield "rival, with figures", command(rival.resolve(), *line)
        yield "rival, once more, nothing changed", command(rival.resolve(), *line)
        shutil.rmtree(report)


def command(checkout: Path, *line: str) -> Cost:
    """The cost of a report by the program of this checkout."""
    silence = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", "cifar_exp.report", *line],  # -P: not that in this folder
        {**os.environ, "PYTHONPATH": str(checkout)},
        file_actions=[(os.POSIX_SPAWN_DUP2, silence, 1)],
    )
    _, status, usage = os.wait4(pid, 0)
    os.close(silence)
    assert status == 0
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def described(costs: list[Cost]) -> str:
    """`1.62 s of CPU time (1.58 to 1.70), 126 MB`: the median, the range and the largest."""
    seconds = sorted(cost.seconds for cost in costs)
    middle, largest = statistics.median(seconds), max(cost.megabytes for cost in costs)
    span = f" ({seconds[0]:.2f} to {seconds[-1]:.2f})" if len(seconds) > 1 else ""
    return f"{middle:.2f} s of CPU time{span}, {largest:.0f} MB"


if __name__ == "__main__":
    main()
