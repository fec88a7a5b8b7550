"""The folder of a run: where it lies and how its files are called."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from cifar_exp.runs.files import write_csv, write_text

RERUN = ".rerun"
REPLACED = ".replaced"
METRICS = (
    "epoch",
    "step",
    "lr",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "val_top5_accuracy",
    "epoch_seconds",
    "elapsed_seconds",
    "images_per_second",
)
EXTRA = ("epoch", "train_eval_loss", "train_eval_accuracy")

YAML_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))

Row = dict[str, float | int | None]


class RunDirectory:
    """The files of one run. Nothing is made before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def last(self) -> Path:
        """The checkpoint to go on from; after completion, the weights."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def best(self) -> Path:
        """The weights that did best on validation."""
        return self.path / "checkpoints" / "best.pt"

    @property
    def log(self) -> Path:
        """What the run told while it went."""
        return self.path / "train.log"

    def create(self) -> None:
        """Make the folder."""
        (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)

    def write_history(self, history: list[Row]) -> None:
        """metrics.csv and extra.csv from the rows of all epochs so far."""
        for name, columns in (("extra.csv", EXTRA), ("metrics.csv", METRICS)):
            rows = [{column: row[column] for column in columns} for row in history]
            write_csv(self.path / name, columns, rows)

    def write_settings(self, settings: Mapping[str, Any], overrides: Sequence[str]) -> None:
        """config.yaml, the resolved settings, and overrides.yaml, what was asked."""
        write_text(self.path / "config.yaml", to_yaml(settings))
        write_text(self.path / "overrides.yaml", to_yaml(list(overrides)))

    def append_log(self, line: str) -> None:
        """Add a line to train.log; a full disk must not end a run for the sake of its log."""
        with suppress(OSError), self.log.open("a") as stream:
            stream.write(line + "\n")


def to_yaml(value: Any) -> str:
    """YAML in which every text is quoted: a run id like 12e4567890 stays a text."""
    return yaml.dump(value, Dumper=_QuotingDumper, sort_keys=False, allow_unicode=True)


class _QuotingDumper(yaml.SafeDumper):
    """Dumps texts in quotes, but for keys and plain words."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    plain = re.fullmatch(r"[A-Za-z_][\w./-]*", text) and text.lower() not in YAML_WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else "'")


_QuotingDumper.add_representer(str, _represent_text)


def find_run(runs: Path, run_id: str) -> Path | None:
    """The folder of a run, whatever its label: `*-<run_id>`."""
    _finish_replacement(runs, run_id)
    return next(iter(sorted(runs.glob(f"[!.]*-{run_id}"))), None)


def new_path(runs: Path, label: str, run_id: str) -> Path:
    """Where a run of this label is to lie."""
    return runs / f"{re.sub(r'[^A-Za-z0-9_.]+', '_', label)}-{run_id}"


def rerun_path(path: Path) -> Path:
    """Where a run is trained anew until it takes the place of `path`."""
    return path.with_name(path.name + RERUN)


def replace_run(path: Path) -> None:
    """Put the finished rerun in the place of `path`; a crash on the way is made good at the next
    look-up."""
    replaced = path.with_name(path.name + REPLACED)
    os.replace(path, replaced)
    os.replace(rerun_path(path), path)
    shutil.rmtree(replaced)


def link_latest(outputs: Path, target: Path) -> None:
    """Point outputs/latest at the run touched last; a convenience that no run fails for."""
    temporary = outputs / f".latest-{os.getpid()}"
    with suppress(OSError):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.path.relpath(target, outputs))
        os.replace(temporary, outputs / "latest")


def _finish_replacement(runs: Path, run_id: str) -> None:
    for replaced in runs.glob(f"[!.]*-{run_id}{REPLACED}"):
        path = replaced.with_name(replaced.name.removesuffix(REPLACED))
        if path.exists():
            shutil.rmtree(replaced)
        else:
            os.replace(rerun_path(path), path)
