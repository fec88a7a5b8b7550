"""What is asked for, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.config.schema import Settings
from cifar_exp.runs.directory import rerun_path
from cifar_exp.runs.record import FINAL, RunRecord


@dataclass(frozen=True)
class Slot:
    """The part of a machine that a run is given: what `auto` means for its device and threads.

    None leaves the choice to the run: the best device, all cores.
    """

    device: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Request:
    """A run that is wanted. `label` is the model option's name, `overrides` what was typed.

    `time_limit` is in seconds; a silent run tells its log alone.
    """

    settings: Settings
    label: str
    overrides: Sequence[str]
    outputs: Path = Path("outputs")
    slot: Slot = Slot()
    time_limit: float | None = None
    is_silent: bool = False

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
