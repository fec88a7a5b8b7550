"""Time and memory of a report by the number of runs: `python benchmarks/report.py [RUNS ...]`.

For each number of runs (50 epochs each, made up by made_runs.py, without predictions) three
commands are measured once each: the tables alone, the whole report, and the whole report again.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from made_runs import make_runs

EPOCHS = 50
ROOT = Path(__file__).resolve().parents[1]
TABLES_ALONE = """
import sys
from pathlib import Path
from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.load.frames import run_frame, settings_columns
from cifar_exp.analysis.load.runs import load_runs
from cifar_exp.analysis.page.csv_files import write_tables
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.groups import group_runs
from cifar_exp.analysis.statistics.metric import METRICS
outputs, output = map(Path, sys.argv[1:])
output.mkdir()
inputs = find_inputs([outputs])
loaded = load_runs(inputs, output)
runs = run_frame(loaded)
metric, columns = METRICS["val_accuracy"], settings_columns(runs)
statistics = [
    GroupStatistics(group, metric, runs, loaded.history, columns)
    for group in group_runs(runs, inputs.sweeps)
]
write_tables(output, runs, loaded.history, statistics)
"""


def main() -> None:
    """Print a line for each number of runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=int, default=[250, 500, 1000, 10000])
    for runs in parser.parse_args().runs:
        with tempfile.TemporaryDirectory() as name:
            print(measured(Path(name), runs), flush=True)


def measured(folder: Path, runs: int) -> str:
    """Seconds and peak memory of the three commands."""
    outputs = folder / "outputs"
    make_runs(outputs, runs, EPOCHS)
    tables = command("-c", TABLES_ALONE, str(outputs), str(folder / "tables"))
    whole = ["-m", "cifar_exp.report", str(outputs), "--output", str(folder / "whole")]
    first, again = command(*whole), command(*whole)
    costs = {"tables alone": tables, "tables and page": first, "once more, nothing changed": again}
    parts = [f"{what} {seconds:.1f} s, {mb:.0f} MB" for what, (seconds, mb) in costs.items()]
    return f"{runs:>6} runs: {'; '.join(parts)}"


def command(*arguments: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of a Python process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    silence = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, *arguments],
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, silence, 1)],
    )
    _, status, usage = os.wait4(pid, 0)
    os.close(silence)
    assert status == 0
    return time.perf_counter() - started, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
