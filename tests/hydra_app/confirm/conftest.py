"""Sweeps whose runs were never trained, in an outputs folder of the test's own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.identity import flatten
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.command import read_command
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import RunDirectory, new_path
from cifar_exp.storage.run_state import read_states
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.plan import Plan, PlannedRun, make_plan
from cifar_exp.sweeps.trial import Grid

Values = Mapping[str, Any]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps are looked for in outputs/ of the working directory, which is not empty here."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def grid_of() -> Callable[..., Grid]:
    """The checked trials of a command line."""
    return lambda *line: read_command(line).grid


@pytest.fixture
def plan_of(grid_of: Callable[..., Grid]) -> Callable[..., Plan]:
    """The plan of a command line."""
    return lambda *line: make_plan(grid_of(*line), lambda *_: None)


@pytest.fixture
def mistakes_in(grid_of: Callable[..., Grid]) -> Callable[..., list[str]]:
    """The sentences on the mistakes in a command line; the test fails if there are none."""

    def run(*line: str) -> list[str]:
        with pytest.raises(UserError) as caught:
            grid_of(*line)
        return caught.value.messages

    return run


@pytest.fixture
def pretend(
    plan_of: Callable[..., Plan], make_record: Callable[..., RunRecord]
) -> Callable[..., Plan]:
    """Writes a sweep as if its command had been run.

    `accuracy` gives each run's from its swept values, or None for a run that has not started;
    `parts` gives values for parts of its record, by name.
    """

    def save(plan: Plan, run: PlannedRun, accuracy: float, parts: Mapping[str, Values]) -> None:
        settings = run.trial.settings
        folder = new_path(plan.runs_folder, run.trial.label, run.run_id)
        RunDirectory(folder).create()
        tree = settings.model_dump(mode="json", by_alias=True)
        RunDirectory(folder).write_settings(tree, run.trial.overrides)
        record = make_record(run_id=run.run_id, final=accuracy, sizes=(90, 10, 50))
        record.label, record.seed = run.trial.label, settings.seed
        record.params = flatten(settings)
        for name, values in parts.items():
            setattr(record, name, getattr(record, name).model_copy(update=values))
        record.save(folder)

    def run(
        line: Sequence[str],
        accuracy: Callable[[Values], float | None],
        parts: Callable[[Values], Mapping[str, Values]] = lambda _: {},
    ) -> Plan:
        plan = plan_of(*line)
        sweep = SweepFolder(plan.folder)
        sweep.enter(plan.entry(" ".join(line)))
        states = read_states(plan.runs_folder, plan.by_id)
        for planned in plan.runs:
            value = accuracy(planned.trial.values)
            if value is not None and states[planned.run_id].folder is None:
                save(plan, planned, value, parts(planned.trial.values))
        sweep.refresh(read_states(plan.runs_folder, plan.by_id))
        return plan

    return run


@pytest.fixture
def origin(pretend: Callable[..., Plan]) -> Plan:
    """A sweep on the seeds 0, 1 and 3: width 4 is better than 2, no dropout better than 0.2."""
    line = ("--multirun", "data=shapes", "model=tiny", "model.width=2,4", "model.dropout=0.0,0.2")

    def accuracy(values: Values) -> float:
        best = 0.1 * values["model.width"] - values["model.dropout"] / 4
        return float(best + 0.001 * values["seed"])

    return pretend((*line, "seed=0,1,3"), accuracy)
