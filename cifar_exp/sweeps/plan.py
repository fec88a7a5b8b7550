"""The plan of a sweep, or of a single run: its name, and its runs with their ids and costs."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cifar_exp.config.identity import run_id
from cifar_exp.config.schema import Settings
from cifar_exp.data.dataset import Dataset, ProgressCallback
from cifar_exp.data.registry import Loader, dataset_counts, is_known_by_content
from cifar_exp.errors import UserError
from cifar_exp.runs.pruning.registry import make_rule
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import needs_no_training
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.selection import Selection, confirming_name
from cifar_exp.storage.sweep_folder import SweepEntry
from cifar_exp.sweeps.search.space import Space
from cifar_exp.sweeps.trial import Grid, Search, Trial
from cifar_exp.text import counted, value_as_text
from cifar_exp.training.cost import DatasetSizes, RunCost, estimate_cost

LONGEST_NAME = 80


@dataclass(frozen=True)
class PlannedRun:
    """A run of the sweep; trials with equal settings are one run."""

    run_id: str
    trial: Trial
    cost: RunCost | None


# From values by key and a seed to a run. Raises UserError if they are not allowed together.
MakeRun = Callable[[Mapping[str, Any], int], PlannedRun]


@dataclass(frozen=True)
class PlannedSearch:
    """The space of a search, and what makes a run of a proposal."""

    space: Space
    make_run: MakeRun


@dataclass(frozen=True)
class Plan:
    """A sweep: `runs` in grid order; `trials` is their number with repetitions.

    A single run, which makes no folder of a sweep, has a plan too. A `search` has no runs here,
    because they are proposed later, but an `example` of its trials.
    """

    name: str
    keys: Sequence[str]
    runs: Sequence[PlannedRun]
    trials: int
    fixed: Mapping[str, Any]
    outputs: Path = Path("outputs")
    is_sweep: bool = True
    confirms: Selection | None = None
    note: str | None = None
    example: Trial | None = None
    search: PlannedSearch | None = None

    @property
    def settings(self) -> Settings:
        """The settings of a trial, whose control words hold for the whole sweep."""
        return (self.example or self.runs[0].trial).settings

    @property
    def folder(self) -> Path:
        """The folder of the sweep's own files."""
        return self.outputs / "sweeps" / self.name

    @property
    def runs_folder(self) -> Path:
        """The folder of all runs."""
        return self.outputs / "runs"

    @property
    def grid(self) -> str:
        """`3 widths x 3 seeds = 9 runs`; without the factors where they do not multiply to it."""
        levels = self._levels()
        factors = [_counted_levels(key, n) for key, n in levels.items() if n > 1]
        runs = counted(len(self.runs), "run")
        if self.trials != len(self.runs):
            runs = f"{counted(self.trials, 'trial')}, some of them equal, so {runs}"
        if math.prod(levels.values()) != self.trials or not factors:
            return runs
        return f"{' x '.join(factors)} = {runs}" if len(factors) > 1 else f"{factors[0]}: {runs}"

    def _levels(self) -> dict[str, int]:
        values: dict[str, set[str]] = {key: set() for key in self.keys}
        for run in self.runs:
            for key, value in run.trial.values.items():
                values.setdefault(key, set()).add(value_as_text(value))
        return {key: len(found) for key, found in values.items()}

    @property
    def heading(self) -> list[str]:
        """Lines on what the sweep is, for the terminal."""
        lines = [f"sweep    {self.folder}"]
        if self.confirms is not None:
            seeds = dict.fromkeys(str(run.trial.settings.seed) for run in self.runs)
            lines.append(
                f"confirms {self.folder.with_name(self.confirms.sweep)}: "
                f"{len(self.runs) // len(seeds)} of its {self.confirms.configurations} "
                f"configurations, on seeds that it did not use: {', '.join(seeds)}"
            )
        rule, lengths = make_rule(self.settings.pruning), self._lengths()
        if rule is not None:
            does = f": {rule.describe(lengths[0])}" if len(lengths) == 1 else ""
            lines.append(f"pruning  {rule.name}{does}")
        return lines if self.note is None else [*lines, f"note     {self.note}"]

    def _lengths(self) -> list[int]:
        every = [run.trial.settings for run in self.runs] or [self.settings]
        return list({settings.trainer.epochs for settings in every})

    def spec(self, run: PlannedRun) -> RunSpec:
        """What an executor needs to train this run."""
        trial = run.trial
        return RunSpec(
            trial.settings,
            trial.label,
            trial.overrides,
            self.outputs,
            run.run_id,
            sweep=self.name if self.is_sweep else None,
        )

    def entry(self, command: str) -> SweepEntry:
        """What the sweep adds to its own files for `command`."""
        return SweepEntry(
            name=self.name,
            command=command,
            fixed=self.fixed,
            values={run.run_id: run.trial.values for run in self.runs},
            costs={r.run_id: (r.cost.images, r.cost.pflop) for r in self.runs if r.cost},
            confirms=self.confirms,
            keys=self.keys,
            search=self._search_entry(),
        )

    def _search_entry(self) -> dict[str, Any] | None:
        if self.search is None:
            return None
        words = self.settings.search.model_dump(mode="json")
        return {"sampler": words.pop("name"), **words, "space": self.search.space.as_dict()}

    @cached_property
    def by_id(self) -> dict[str, PlannedRun]:
        """The runs by id."""
        return {run.run_id: run for run in self.runs}


def missing_runs(runs: Iterable[PlannedRun], states: Mapping[str, RunState]) -> list[PlannedRun]:
    """Those of the runs that need training, by their `states`."""
    return [
        run for run in runs if not needs_no_training(states[run.run_id].status, run.trial.settings)
    ]


def make_plan(grid: Grid, report: ProgressCallback) -> Plan:
    """Name the sweep and its runs. Reads the images for data=folder, because ids depend on them.

    Raises as `load_dataset` does, and UserError if a sweep would be confirmed on other images.
    """
    planner = _Planner(report)
    runs: dict[str, PlannedRun] = {}
    for trial in grid.trials:
        run = planner.run(trial)
        runs.setdefault(run.run_id, run)
    if grid.confirms is not None:
        _check_images(grid.confirms, runs)
    fixed = dict(grid.fixed)
    if planner.fingerprints:
        fixed["data.fingerprint"] = sorted(planner.fingerprints)
    return Plan(
        name=sweep_name(grid, fixed),
        keys=grid.keys,
        runs=[] if grid.search else list(runs.values()),
        trials=0 if grid.search else len(grid.trials),
        fixed=fixed,
        is_sweep=grid.is_sweep,
        confirms=grid.confirms,
        note=grid.note,
        example=grid.trials[0] if grid.search else None,
        search=planner.search(grid.search) if grid.search else None,
    )


class _Planner:
    """Gives trials their ids and costs; `fingerprints` are those of the images it had to read."""

    def __init__(self, report: ProgressCallback) -> None:
        self._load, self._report = Loader(), report
        self.fingerprints: set[str] = set()

    def run(self, trial: Trial) -> PlannedRun:
        data = trial.settings.data
        dataset = self._load(data, self._report) if is_known_by_content(data) else None
        self.fingerprints |= {dataset.fingerprint} if dataset else set()
        identity = run_id(trial.settings, dataset.fingerprint if dataset else None)
        return PlannedRun(identity, trial, _cost(trial, dataset))

    def search(self, search: Search) -> PlannedSearch:
        return PlannedSearch(
            search.space, lambda values, seed: self.run(search.make_trial(values, seed))
        )


def sweep_name(grid: Grid, fixed: Mapping[str, Any]) -> str:
    """The option's name, or the swept keys, and a hash of all other settings that were set.

    Values are not part of it: more values extend the sweep. A sweep that confirms another is named
    after that one. The sampler and its seed are part of a search's name.
    """
    if grid.confirms is not None:
        return confirming_name(grid.confirms.sweep)
    name = grid.option or "-".join(sorted(grid.keys)) or "single"
    name = re.sub(r"[^\w.-]+", "_", name)
    if len(name) > LONGEST_NAME:
        name = f"{name[:LONGEST_NAME]}-{_digest(name)}"
    if grid.search is not None:
        name += grid.search.suffix
    return f"{name}-{_digest(fixed)}" if fixed else name


def _check_images(confirms: Selection, run_ids: Iterable[str]) -> None:
    expected = {run_id for each in confirms.all for run_id in each.confirmed_on}
    if not expected.issuperset(run_ids):
        raise UserError(
            f"confirm.sweep={confirms.sweep}: the images at data.root are not those that it was "
            "trained on"
        )


def _cost(trial: Trial, dataset: Dataset | None) -> RunCost | None:
    data = trial.settings.data
    counts = dataset_counts(data, dataset)
    taken = min(counts.train, data.limit_train or counts.train)
    val = round(data.val_fraction * taken)
    test = min(counts.test, data.limit_test or counts.test)
    sizes = DatasetSizes(counts.classes, taken - val, val, test)
    return estimate_cost(trial.settings, sizes)


def _counted_levels(key: str, number: int) -> str:
    name = key.rpartition(".")[2]
    has_plural = name.isalpha() and len(name) > 2 and not name.endswith("s")
    return f"{number} {name}s" if has_plural else f"{number} values of {name}"


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:6]
