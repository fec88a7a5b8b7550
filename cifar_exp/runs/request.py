"""What is asked for, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.config.schema import Settings
from cifar_exp.runs.directory import rerun_path
from cifar_exp.runs.record import FINAL, RunRecord


@dataclass(frozen=True)
class Request:
    """A run that is wanted. `label` is the model option's name, `overrides` what was typed."""

    settings: Settings
    label: str
    overrides: Sequence[str]
    outputs: Path = Path("outputs")

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.outputs / "runs"


def folder_to_fill(home: Path) -> Path:
    """`home`, or beside it the folder of a rerun where the run in `home` has come to its end."""
    record = RunRecord.load(home)
    return rerun_path(home) if record is not None and record.status in FINAL else home


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its folder and its record."""

    folder: Path
    record: RunRecord
