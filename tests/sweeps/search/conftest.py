"""A search whose runs are not trained: their records are made up."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.search.source import SearchSource
from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.sweeps.trial import Trial

LR = Dimension("optimizer.lr", "float", 1e-3, 1.0, is_log=True)
WIDTH = Dimension("model.width", "int", 4, 64)
DROPOUT = Dimension("model.dropout", "float", 0.0, 0.5)
NUMBERS = Space((LR, WIDTH, DROPOUT))
EPOCHS = 8


@dataclass
class Lab:
    """A folder of outputs, and searches in it; `epochs` is what all runs of a search share."""

    outputs: Path
    composed: Settings
    make_record: Callable[..., RunRecord]
    epochs: int = EPOCHS
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: Settings = field(init=False)

    def make_run(self, values: Mapping[str, Any], seed: int) -> PlannedRun:
        params = {**values, "seed": seed, "trainer.epochs": self.epochs}
        text = json.dumps(params, sort_keys=True)
        run_id = hashlib.sha256(text.encode()).hexdigest()[:10]
        self.made[run_id] = params
        trial = Trial(self.settings.model_copy(update={"seed": seed}), "tiny", (), values)
        if self.settings.search.seeds > 1:
            trial = Trial(trial.settings, "tiny", (), {"seed": seed, **values})
        return PlannedRun(run_id, trial, None)

    def source(
        self, space: Space = NUMBERS, sweep: str = "searched", **search: Any
    ) -> SearchSource:
        """The source of a new process; `search` are keys of the section."""
        section = self.composed.search.model_copy(update={"name": "random", **search})
        self.settings = self.composed.model_copy(update={"search": section})
        trial = Trial(self.settings, "tiny", (), {})
        plan = Plan(sweep, (), (), 0, {}, outputs=self.outputs, example=trial)
        plan.folder.mkdir(parents=True, exist_ok=True)
        return SearchSource(plan, space, self.make_run)

    def end(
        self, run_id: str, accuracy: float | None, finished_at: str | None = None, **record: Any
    ) -> None:
        """Write the record of a run that has ended, without any if accuracy is None."""
        params = self.made[run_id]
        made = self.make_record(
            **{"status": "completed", "final": accuracy, "epochs": self.epochs, **record},
            run_id=run_id,
            **{key: value for key, value in params.items() if key != "trainer.epochs"},
        )
        made.seed, made.finished_at = params["seed"], finished_at
        folder = self.outputs / "runs" / f"tiny-{run_id}"
        folder.mkdir(parents=True, exist_ok=True)
        made.save(folder)

    def states(self, source: SearchSource) -> dict[str, RunState]:
        return read_states(self.outputs / "runs", source.runs)

    def propose(self, source: SearchSource, n: int = 1, busy: tuple[str, ...] = ()) -> list[str]:
        runs = source.propose(self.states(source), set(busy), n)
        return [run.run_id for run in runs]

    def drive(
        self, source: SearchSource, accuracy: Callable[[dict[str, Any]], float], most: int = 1000
    ) -> list[str]:
        """Train one run after another; returns the ids in order."""
        trained: list[str] = []
        while len(trained) < most and (proposed := self.propose(source)):
            self.end(proposed[0], accuracy(self.made[proposed[0]]))
            trained += proposed
        return trained


@cache
def composed(compose: Callable[..., Settings]) -> Settings:
    return compose("model=tiny")


@pytest.fixture
def lab(
    tmp_path: Path,
    make_settings: Callable[..., Settings],
    make_record: Callable[..., RunRecord],
) -> Lab:
    """A folder in which searches are made."""
    return Lab(tmp_path / "outputs", composed(make_settings), make_record)
