"""The folder of a run: its place, the names of its files, and how the plain ones are written.

Writes config.yaml, overrides.yaml, metrics.csv, extra.csv and train.log.
"""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from cifar_exp.storage.atomic import TEMPORARY, leftovers, remove_leftovers, write_csv, write_text
from cifar_exp.storage.fence import TakenOverError, check_fence
from cifar_exp.storage.metrics import EXTRA_COLUMNS, METRICS_COLUMNS
from cifar_exp.storage.reading import UnreadableError, read_yaml
from cifar_exp.storage.record import TERMINAL, RunRecord

RERUN = ".rerun"
REPLACED = ".replaced"
YAML_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))

Row = dict[str, float | int | None]


class RunDirectory:
    """The files of one run. Nothing is made before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def last(self) -> Path:
        """The checkpoint from which training continues; after completion, the weights."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def best(self) -> Path:
        """The best weights on validation."""
        return self.path / "checkpoints" / "best.pt"

    @property
    def reduced(self) -> Path:
        """The weights that take the place of last.pt once the run is recorded as completed."""
        return self.path / "checkpoints" / f"{TEMPORARY}last.pt"

    @property
    def log(self) -> Path:
        """The lines that the run printed."""
        return self.path / "train.log"

    def create(self) -> None:
        """Make the folder."""
        check_fence()
        (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Remove the results of earlier training, for a run that starts from the beginning."""
        names = ("metrics.csv", "extra.csv", "predictions.npz")
        for path in (self.last, self.best, *(self.path / name for name in names)):
            check_fence()
            path.unlink(missing_ok=True)

    def is_reduced(self, keep: str) -> bool:
        """Whether `reduce` has nothing left to do."""
        has_checkpoints = self.last.exists() or self.best.exists()
        return not leftovers(self.path) and not (keep == "none" and has_checkpoints)

    def reduce(self, keep: str) -> None:
        """Keep only those checkpoints of a completed run that `keep` names.

        This only renames and removes files, so that after a kill it can be repeated without the
        network. Only the holder of the run's lock may call it.
        """
        if self.reduced.exists():
            check_fence()
            os.replace(self.reduced, self.last)
        for path in (self.best, self.last) if keep == "none" else ():
            check_fence()
            path.unlink(missing_ok=True)
        remove_leftovers(self.path)

    def write_history(self, history: list[Row]) -> None:
        """Write metrics.csv, and the other columns to extra.csv, from the rows of all epochs."""
        names = history[-1] if history else EXTRA_COLUMNS
        extra = ("epoch", *(name for name in names if name not in METRICS_COLUMNS))
        for name, columns in (("extra.csv", extra), ("metrics.csv", METRICS_COLUMNS)):
            rows = [{column: row[column] for column in columns} for row in history]
            write_csv(self.path / name, columns, rows)

    def write_settings(self, settings: Mapping[str, Any], overrides: Sequence[str]) -> None:
        """Write config.yaml, the resolved settings, and overrides.yaml, what was typed."""
        write_text(self.path / "config.yaml", to_yaml(settings))
        write_text(self.path / "overrides.yaml", to_yaml(list(overrides)))

    def append_log(self, line: str) -> None:
        """Add a line to train.log; a full disk must not end a run for the sake of its log."""
        with suppress(OSError, TakenOverError):  # the next file that is written tells it
            check_fence()
            with self.log.open("a") as stream:
                stream.write(line + "\n")


def read_overrides(folder: Path) -> list[str]:
    """The overrides that were typed for a run; empty if they are not on record."""
    try:
        content = read_yaml(folder / "overrides.yaml")
    except (OSError, UnreadableError):
        return []
    return [str(item) for item in content] if isinstance(content, list) else []


def to_yaml(value: Any) -> str:
    """YAML with quoted strings, so that a run id like 12e4567890 stays a string."""
    return yaml.dump(value, Dumper=_QuotingDumper, sort_keys=False, allow_unicode=True)


class _QuotingDumper(yaml.SafeDumper):
    """Quotes all strings but plain words."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    plain = re.fullmatch(r"[A-Za-z_][\w./-]*", text) and text.lower() not in YAML_WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else "'")


_QuotingDumper.add_representer(str, _represent_text)


def find_run(runs: Path, run_id: str) -> Path | None:
    """The folder of a run, whatever its label: `*-<run_id>`."""
    return next(iter(sorted(runs.glob(f"[!.]*-{run_id}"))), None)


def new_path(runs: Path, label: str, run_id: str) -> Path:
    """The folder for a new run with this label."""
    return runs / f"{re.sub(r'[^A-Za-z0-9_.]+', '_', label)}-{run_id}"


def rerun_path(path: Path) -> Path:
    """The folder in which a run is trained again until it takes the place of `path`."""
    return path.with_name(path.name + RERUN)


def replaced_path(path: Path) -> Path:
    """The folder of the run in `path` while its rerun takes its place."""
    return path.with_name(path.name + REPLACED)


def link_latest(outputs: Path, target: Path) -> None:
    """Point outputs/latest at the latest run or sweep, if possible."""
    # other processes may link theirs at this moment, and what one left in a kill the next replaces
    temporary = outputs / f".latest-{target.name}"
    with suppress(OSError):
        check_fence()
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.path.relpath(target, outputs))
        try:
            os.replace(temporary, outputs / "latest")
        finally:
            temporary.unlink(missing_ok=True)


class RunFolder:
    """One run's folder and record, as read when it was made or last refreshed.

    `path` is the folder, or the one that a new run gets; `record` is None where there is none.
    Training writes to `write_path`, whose record is `write_record`: the same folder, or if the run
    has ended the folder of its rerun.
    """

    def __init__(self, runs: Path, label: str, run_id: str) -> None:
        self.runs, self.label, self.run_id = runs, label, run_id
        self.refresh()

    def refresh(self) -> None:
        """Read everything again: another process may have trained the run."""
        found = find_run(self.runs, self.run_id)
        self.path = self.write_path = found or new_path(self.runs, self.label, self.run_id)
        self.record = self.write_record = RunRecord.load(self.path) if found else None
        if self.record is not None and self.record.status in TERMINAL:
            self.write_path = rerun_path(self.path)
            self.write_record = RunRecord.load(self.write_path)


def write_target(home: Path) -> Path:
    """The folder to train in: `home`, or that of its rerun if the run in `home` has ended."""
    record = RunRecord.load(home)
    return rerun_path(home) if record is not None and record.status in TERMINAL else home
