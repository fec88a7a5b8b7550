"""Recorded grids, to be replayed: what each run reached, took and cost after each epoch."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from cifar_exp.config.schema import ConvNetSection, Settings
from cifar_exp.config.validation import validate
from cifar_exp.models.macs import convnet_macs
from cifar_exp.storage.lease import LockHolder
from cifar_exp.storage.reading import read_yaml
from cifar_exp.storage.record import PrunedInfo, RunRecord, ValMetrics, read_record
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepFolder, SweepRow
from cifar_exp.sweeps.plan import PlannedRun
from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.sweeps.trial import Trial
from cifar_exp.text import value_as_text
from cifar_exp.training.cost import RunCost, training_macs
from cifar_exp.training.resolution import ResolutionSchedule

HOLDER = LockHolder("replay", 1)
POINT = 0.01  # a percentage point


@dataclass(frozen=True)
class RecordedRun:
    """A completed run. `seconds` and `pflop` are those spent after 0, 1, 2, ... epochs.

    `accuracies` are of the validation images after epochs 1, 2, ...; `configuration` is the run's
    values as text, without the seed.
    """

    planned: PlannedRun
    record: RunRecord
    configuration: tuple[str, ...]
    accuracies: Sequence[float]
    seconds: Sequence[float]
    pflop: Sequence[float]

    @property
    def epochs(self) -> int:
        """The epochs of the whole run."""
        return len(self.accuracies)

    @cached_property
    def running(self) -> RunState:
        """Its state while it is trained; nothing that a source of trials reads is in its files."""
        return RunState(self.planned.run_id, holder=HOLDER)

    @cached_property
    def pending(self) -> RunState:
        """Its state before it is trained."""
        return RunState(self.planned.run_id)

    def ended(self, epoch: int, pruned: PrunedInfo | None) -> RunState:
        """Its state when it is complete, or paused after `epoch`."""
        accuracy = self.accuracies[epoch - 1]
        final = ValMetrics(epoch=epoch, val_accuracy=accuracy, val_loss=None)
        compute = self.record.compute.model_copy(update={"pflop": self.pflop[epoch]})
        update = {
            "status": "pruned" if pruned else "completed",
            "pruned": pruned,
            "final": final,
            "compute": compute,
        }
        row = {"epoch": float(epoch), "elapsed_seconds": self.seconds[epoch]}
        record = self.record.model_copy(update=update)
        return RunState(self.planned.run_id, record=record, row=row)


@dataclass(frozen=True)
class RecordedGrid:
    """All runs of a sweep, by id, in grid order, and its space, each setting a choice."""

    name: str
    runs: Mapping[str, RecordedRun]
    space: Space

    @classmethod
    def load(cls, folder: Path) -> "RecordedGrid":
        """Read the folder of a sweep. Raises UnreadableError if the sweep is not complete."""
        sweep = SweepFolder(folder)
        file = sweep.load_file()
        parameters = {key: each for key, each in file.parameters.items() if key != "seed"}
        dimensions = [
            Dimension(key, "choice", choices=tuple(choices)) for key, choices in parameters.items()
        ]
        runs = {}
        for row in sweep.load_rows():
            typed = {d.key: _choice(d, row.values[d.key]) for d in dimensions}
            runs[row.run_id] = _load_run(folder, row, typed, RunCost(*file.efforts[row.run_id]))
        return cls(file.name, runs, Space(tuple(dimensions)))

    @cached_property
    def pflop(self) -> float:
        """The compute of the whole grid."""
        return sum(run.pflop[-1] for run in self.runs.values())

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds of a configuration."""
        return sorted({run.record.seed for run in self.runs.values()})

    @cached_property
    def accuracies(self) -> dict[tuple[str, ...], float]:
        """The val accuracy at the end of each configuration, the mean over its seeds."""
        found: dict[tuple[str, ...], list[float]] = {}
        for run in self.runs.values():
            found.setdefault(run.configuration, []).append(run.accuracies[-1])
        return {configuration: fmean(each) for configuration, each in found.items()}

    def near_best(self, points: float) -> set[tuple[str, ...]]:
        """The configurations that are at most so many percentage points below the best."""
        least = max(self.accuracies.values()) - points * POINT - 1e-9
        return {each for each, accuracy in self.accuracies.items() if accuracy >= least}

    def make_run(self, values: Mapping[str, Any], seed: int) -> PlannedRun:
        """The run with these values, for a search."""
        return self._by_values[*(value_as_text(each) for each in values.values()), str(seed)]

    @cached_property
    def _by_values(self) -> dict[tuple[str, ...], PlannedRun]:
        return {
            (*run.configuration, str(run.record.seed)): run.planned for run in self.runs.values()
        }


def _choice(dimension: Dimension, text: str) -> Any:
    return next(each for each in dimension.choices if value_as_text(each) == text)


def _load_run(folder: Path, row: SweepRow, values: Mapping[str, Any], cost: RunCost) -> RecordedRun:
    run = folder / row.folder
    record = read_record(run)
    settings = validate(read_yaml(run / "config.yaml")).model_copy(update={"rerun": False})
    with (run / "metrics.csv").open() as file:
        lines = list(csv.DictReader(file))
    trial = Trial(settings, record.label, (), {**values, "seed": record.seed})
    return RecordedRun(
        PlannedRun(row.run_id, trial, cost),
        record,
        tuple(value_as_text(each) for each in values.values()),
        [float(line["val_accuracy"]) for line in lines],
        [0.0, *(float(line["elapsed_seconds"]) for line in lines)],
        _pflop_by_epoch(settings, record),
    )


def _pflop_by_epoch(settings: Settings, record: RunRecord) -> list[float]:
    """The compute recorded, divided among the epochs by the resolution of their steps."""
    assert isinstance(settings.model, ConvNetSection)
    epochs = settings.trainer.epochs
    resolution = ResolutionSchedule.of(settings.trainer, settings.data.image_size)
    macs = {
        size: convnet_macs(settings.model, record.dataset.classes, size)
        for size in (*resolution.sizes, resolution.full)
    }
    steps = -(-record.dataset.train_size // settings.trainer.batch_size)
    ends = [epoch * steps for epoch in range(epochs + 1)]
    parts = [training_macs(resolution, macs, a, b, ends[-1]) for a, b in pairwise(ends)]
    total = sum(parts)
    return [0.0, *accumulate(part / total * record.compute.pflop for part in parts)]
