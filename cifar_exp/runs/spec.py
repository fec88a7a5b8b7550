"""What to train, and the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.config.schema import Settings
from cifar_exp.storage.record import RunRecord


@dataclass(frozen=True)
class Slot:
    """The part of a machine that a run gets: the values of `auto` for its device and threads.

    None means the best device, or all cores.
    """

    device: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class RunSpec:
    """A run to train. `label` is the model option's name, `overrides` is what was typed.

    `run_id` is computed from the settings if it is None. `time_limit` is in seconds. A silent
    run writes to its log only. `sweep` is the name of the sweep that asks for the run.
    """

    settings: Settings
    label: str
    overrides: Sequence[str]
    outputs: Path = Path("outputs")
    run_id: str | None = None
    slot: Slot = Slot()
    time_limit: float | None = None
    is_silent: bool = False
    sweep: str | None = None

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.outputs / "runs"


@dataclass(frozen=True)
class RunResult:
    """How a run ended: its folder and its record."""

    folder: Path
    record: RunRecord
