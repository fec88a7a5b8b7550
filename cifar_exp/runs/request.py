"""What is asked for, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.config.schema import Settings
from cifar_exp.runs.record import RunRecord


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


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its folder and its record."""

    folder: Path
    record: RunRecord
