"""What is asked for, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.config.schema import Settings
from cifar_exp.storage.record import RunRecord


@dataclass(frozen=True)
class Slot:
    """The part of a machine that a run is given: what `auto` means for its device and threads.

    None leaves the choice to the run: the best device, all cores.
    """

    device: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class RunSpec:
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


@dataclass(frozen=True)
class RunResult:
    """How a run ended: its folder and its record."""

    folder: Path
    record: RunRecord
