"""Show the state of sweeps and runs: `python -m cifar_exp.status [PATH] [--watch]`."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group
from rich.live import Live

from cifar_exp.errors import DONE, INTERRUPTED, UserError, print_error
from cifar_exp.storage.failures import failure
from cifar_exp.storage.layout import Place, find_place, is_folder, real_path, sweep_folders
from cifar_exp.storage.run_state import RunState, read_state, run_folders
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import live_table, plain_lines, unsuccessful_lines
from cifar_exp.terminal import open_console, plain, print_line, printable
from cifar_exp.text import percent

WATCH_SECONDS = 2.0
SHOWN = 300  # characters of a wrong path


def main() -> int:
    """The command: returns its exit code."""
    arguments = _parser().parse_args()
    path = Path(arguments.path)
    if not is_folder(path):
        name = printable(arguments.path)
        name = name if len(name) <= SHOWN else f"{name[:SHOWN]}..."
        return print_error(
            UserError(f"{name} is not a folder; give outputs, a sweep's folder or a run's")
        )
    place = find_place(path) or Place("outputs", path, path)
    try:
        _watch(place) if arguments.watch else _print(place)
    except KeyboardInterrupt:
        return INTERRUPTED
    except PermissionError as error:
        return print_error(failure(error, path, "nothing was changed"))
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cifar_exp.status", description=__doc__)
    parser.add_argument(
        "path",
        nargs="?",
        default="outputs",
        help="the outputs folder (default: everything), a sweep folder or a run folder",
    )
    parser.add_argument("--watch", action="store_true", help="redraw until nothing is running")
    return parser


def _print(place: Place) -> None:
    console = open_console()
    readers = _readers(place)
    snapshots = [reader.take() for reader in readers]
    lines = [
        line
        for snapshot in snapshots
        for line in [*plain_lines(snapshot), *unsuccessful_lines(snapshot, {})]
    ]
    lines += _run_lines(place, readers)
    for line in lines or [f"there are no runs and no sweeps in {place.path}"]:
        print_line(console, line)


def _watch(place: Place) -> None:
    readers = _readers(place)
    with Live(console=open_console(), auto_refresh=False) as live:
        while True:
            snapshots = [reader.take() for reader in readers]
            lines = [plain(line) for line in _run_lines(place, readers)]
            live.update(Group(*map(live_table, snapshots), *lines), refresh=True)
            if not any(snapshot.running for snapshot in snapshots) and not _is_training(place):
                return
            time.sleep(WATCH_SECONDS)


def _readers(place: Place) -> Sequence[SnapshotReader]:
    """A reader for each sweep to show."""
    if place.kind == "run":
        return []
    if place.kind == "sweep":
        return [SnapshotReader(_shown(place.path))]
    return [SnapshotReader(folder) for folder in sweep_folders(_shown(place.outputs))]


def _states(place: Place) -> Iterator[RunState]:
    if place.kind == "run":
        real = real_path(place.path)
        yield read_state(real.parent, real.name.rpartition("-")[2], real)
    elif place.kind in ("outputs", "runs"):
        runs = _shown(place.outputs) / "runs"
        for run_id, folder in run_folders(runs).items():
            yield read_state(runs, run_id, folder)


def _shown(path: Path) -> Path:
    """The folder itself where `path` is a link to it or `.`; relative if `path` is."""
    real = real_path(path)
    return real if path.is_absolute() else Path(os.path.relpath(real))


def _is_training(place: Place) -> bool:
    return any(state.status == "running" for state in _states(place))


def _run_lines(place: Place, readers: Sequence[SnapshotReader]) -> Iterator[str]:
    """A line for each run that belongs to no sweep shown."""
    swept = {row.run_id for reader in readers for row in reader.folder.rows()}
    for state in _states(place):
        if state.run_id not in swept:
            yield _run_line(state)


def _run_line(state: RunState) -> str:
    accuracy = percent(state.row.get("val_accuracy") if state.row else None)
    epoch = f"{state.epoch}/{state.epochs or '?'}"
    line = f"{state.status:<11} {state.name}  epoch {epoch}  val {accuracy}"
    return f"{line}  {state.reason}" if state.reason else line


if __name__ == "__main__":
    sys.exit(main())
