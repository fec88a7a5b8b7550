"""What a search knows of its space: results of its own runs, and of runs of other sweeps."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cifar_exp.errors import UserError
from cifar_exp.storage.atomic import mtime_ns
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState, run_folders
from cifar_exp.sweeps.plan import MakeRun
from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.sweeps.search.space import Space

DIVERGED = 0.0  # samplers look at ranks: it is worse than whatever a network has learned


@dataclass(frozen=True)
class Result:
    """How a run ended. `paused_at`: the epoch that `accuracy` is of, unless it is a whole run's."""

    accuracy: float
    pflop: float
    paused_at: int | None = None


@dataclass
class Configuration:
    """Values by key, and the ids of their runs by seed."""

    values: Mapping[str, Any]
    runs: dict[int, str] = field(default_factory=dict)


def result_of(record: RunRecord | None) -> Result | None:
    """The result of a run that has ended. A failed one says nothing of its settings."""
    if record is None:
        return None
    pflop = record.compute.pflop
    if record.status == "diverged":
        return Result(DIVERGED, pflop)
    if record.status == "completed" and record.metric is not None:
        return Result(record.metric, pflop)
    final = record.final
    if record.status == "pruned" and final is not None and final.val_accuracy is not None:
        return Result(final.val_accuracy, pflop, final.epoch)
    return None


def results(configuration: Configuration, states: Mapping[str, RunState]) -> dict[int, Result]:
    """By seed, the results of those runs that have ended and are not being trained again."""
    found = {}
    for seed, run_id in configuration.runs.items():
        state = states.get(run_id)
        result = result_of(state.record) if state and state.holder is None else None
        if result is not None:
            found[seed] = result
    return found


def observation(values: Mapping[str, Any], ended: Iterable[Result]) -> Observation | None:
    """The means of one configuration's seeds: of the whole runs, or else of the longest."""
    whole = [result for result in ended if result.paused_at is None]
    paused = [result for result in ended if result.paused_at is not None]
    last = max((result.paused_at or 0 for result in paused), default=0)
    used = whole or [result for result in paused if result.paused_at == last]
    if not used:
        return None
    return Observation(
        values,
        accuracy=sum(result.accuracy for result in used) / len(used),
        pflop=sum(result.pflop for result in used) / len(used),
        paused_at=None if whole else last,
    )


def lies_in(space: Space, values: Mapping[str, Any]) -> bool:
    """Whether these values, which an earlier command may have searched, are in the space."""
    present = space.present(values)
    is_complete = {dimension.key for dimension in present} == set(values)
    return is_complete and all(d.contains(values[d.key]) for d in present)


@dataclass(frozen=True)
class _Foreign:
    """A run of another sweep: its configuration's id, and its result if it has ended."""

    configuration: str
    values: Mapping[str, Any]
    ended_at: str
    result: Result | None


class ForeignRuns:
    """Runs of other sweeps that a search could have made itself.

    They are those whose settings lie in the space and that `make_run` gives the same id: then all
    other settings are equal too. A folder is read again only after its record has changed.
    """

    def __init__(self, runs: Path, space: Space, make_run: MakeRun, seed: int) -> None:
        self.runs, self.space, self.make_run, self.seed = runs, space, make_run, seed
        self._read: dict[str, tuple[int, _Foreign | None]] = {}

    def refresh(self, own: AbstractSet[str]) -> None:
        """Read what has changed in the folder of all runs. `own`: runs of the search."""
        before, self._read = self._read, {}
        for run_id, folder in run_folders(self.runs).items():
            if run_id not in own:
                written = mtime_ns(folder / "run.json")
                known = before.get(run_id)
                is_same = known is not None and known[0] == written
                self._read[run_id] = known if known and is_same else (written, self._load(folder))

    @property
    def configurations(self) -> set[str]:
        """The ids of all configurations that another sweep has begun."""
        return {run.configuration for run in self._found()}

    def observations(self, but: AbstractSet[str]) -> list[Observation]:
        """What is known of each configuration, in the order of the ends; `but` are left out."""
        ended: dict[str, list[Result]] = {}
        values: dict[str, Mapping[str, Any]] = {}
        for run in sorted(self._found(), key=lambda run: (run.ended_at, run.configuration)):
            if run.result is not None and run.configuration not in but:
                values.setdefault(run.configuration, run.values)
                ended.setdefault(run.configuration, []).append(run.result)
        found = (observation(values[each], ended[each]) for each in ended)
        return [each for each in found if each is not None]

    def _found(self) -> Sequence[_Foreign]:
        return [run for _, run in self._read.values() if run is not None]

    def _load(self, folder: Path) -> _Foreign | None:
        record = RunRecord.load(folder)
        values = self.space.values_of(record.params) if record else None
        if record is None or values is None:
            return None
        try:
            if self.make_run(values, record.seed).run_id != record.run_id:
                return None
            configuration = self.make_run(values, self.seed).run_id
        except UserError:  # values that together are not allowed any more
            return None
        return _Foreign(configuration, values, record.finished_at or "", result_of(record))
