"""Show the state of sweeps and runs: `python -m cifar_exp.status [PATH] [--watch | --json]`."""

import argparse
import os
import sys
import time
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from rich.console import Group
from rich.live import Live

from cifar_exp.errors import DONE, INTERRUPTED, UserError, print_error
from cifar_exp.storage.failures import failure
from cifar_exp.storage.layout import Place, find_place, is_folder, real_path, sweep_folders
from cifar_exp.storage.run_state import RunState, read_state, run_folders
from cifar_exp.sweeps.launchers.slurm.living import LivingJobs
from cifar_exp.sweeps.monitor.as_json import status_as_json
from cifar_exp.sweeps.monitor.run_details import detail_lines, run_line
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import live_table, plain_lines, unsuccessful_lines
from cifar_exp.terminal import open_console, plain, print_line, printable
from cifar_exp.text import to_json

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
        _show(place, arguments)
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
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--watch", action="store_true", help="redraw until nothing is running")
    form.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _show(place: Place, arguments: argparse.Namespace) -> None:
    readers = _readers(place)
    if arguments.json:
        snapshots = [reader.take() for reader in readers]
        text = to_json(status_as_json(snapshots, _states_outside(place, readers)))
        open_console().print(plain(text))
        return
    if not arguments.watch:
        _print(place, readers)
    elif _is_training(place) or any(map(_is_active, readers)):
        _watch(place, readers)
    else:
        _print(place, readers)
        print_line(open_console(), "nothing is running")


def _print(place: Place, readers: Sequence[SnapshotReader]) -> None:
    console = open_console()
    lines = [
        line
        for snapshot in [reader.take() for reader in readers]
        for line in [*plain_lines(snapshot), *unsuccessful_lines(snapshot, {})]
    ]
    if place.kind == "run":
        has_braille = console.encoding.startswith("utf")
        (state,) = _states(place)
        lines += detail_lines(state, is_ascii=not has_braille)
    else:
        lines += map(run_line, _states_outside(place, readers))
    for line in lines or [f"there are no runs and no sweeps in {place.path}"]:
        print_line(console, line)


def _watch(place: Place, readers: Sequence[SnapshotReader]) -> None:
    with Live(console=open_console(), auto_refresh=False) as live:
        while True:
            snapshots = [reader.take() for reader in readers]
            lines = [plain(run_line(state)) for state in _states_outside(place, readers)]
            live.update(Group(*map(live_table, snapshots), *lines), refresh=True)
            if not any(s.running or s.queued for s in snapshots) and not _is_training(place):
                return
            time.sleep(WATCH_SECONDS)


def _is_active(reader: SnapshotReader) -> bool:
    snapshot = reader.take()
    return bool(snapshot.running or snapshot.queued)


def _readers(place: Place) -> Sequence[SnapshotReader]:
    """A reader for each sweep to show."""
    if place.kind == "run":
        return []
    living = LivingJobs()
    if place.kind == "sweep":
        return [SnapshotReader(_shown(place.path), living)]
    return [SnapshotReader(folder, living) for folder in sweep_folders(_shown(place.outputs))]


def _states(place: Place, apart_from: Container[str] = ()) -> Iterator[RunState]:
    if place.kind == "run":
        real = real_path(place.path)
        yield read_state(real.parent, real.name.rpartition("-")[2], real)
    elif place.kind in ("outputs", "runs"):
        runs = _shown(place.outputs) / "runs"
        for run_id, folder in run_folders(runs).items():
            if run_id not in apart_from:
                yield read_state(runs, run_id, folder)


def _shown(path: Path) -> Path:
    """The folder itself where `path` is a link to it or `.`; relative if `path` is."""
    real = real_path(path)
    return real if path.is_absolute() else Path(os.path.relpath(real))


def _is_training(place: Place) -> bool:
    return any(state.status == "running" for state in _states(place))


def _states_outside(place: Place, readers: Sequence[SnapshotReader]) -> list[RunState]:
    """Each run that belongs to no sweep shown."""
    swept = {row.run_id for reader in readers for row in reader.folder.rows()}
    return list(_states(place, apart_from=swept))


if __name__ == "__main__":
    sys.exit(main())
