"""A search as a journal of Optuna, for optuna-dashboard and Optuna's own analyses.

    python -m cifar_exp.sweeps.search.journal outputs/sweeps/NAME search.journal
    optuna-dashboard search.journal

It is a copy: a search never reads it.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from cifar_exp.errors import DONE, UserError, print_error
from cifar_exp.storage.metrics import read_epoch_table
from cifar_exp.storage.reading import UnreadableError
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.search.optuna_study import Outcome, SharedTrial, as_trial, distributions
from cifar_exp.sweeps.search.proposed import values_in_row
from cifar_exp.sweeps.search.space import Space
from cifar_exp.text import counted

STATES = {
    "completed": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "running": TrialState.RUNNING,
    "interrupted": TrialState.RUNNING,
    "pending": TrialState.WAITING,
}


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m cifar_exp.sweeps.search.journal",
        description="Write the runs of a search as a journal of Optuna, for optuna-dashboard.",
    )
    parser.add_argument("sweep", type=Path, metavar="SWEEP", help="the folder of a search")
    parser.add_argument("journal", type=Path, metavar="FILE", help="a new file to write")
    arguments = parser.parse_args()
    try:
        number = export_journal(SweepFolder(arguments.sweep), arguments.journal)
    except UserError as error:
        return print_error(error)
    print(f"journal  {arguments.journal}: {counted(number, 'trial')}")
    return DONE


def export_journal(folder: SweepFolder, path: Path) -> int:
    """Write a study with a trial for each run of a search, and return how many there are.

    Its attributes have the run's id, status and seed. A failed or diverged run is a failed trial.
    Raises UserError if the folder is not one of a search, or if there is something at `path`.
    """
    space, minimizes_pflop = _read_search(folder)
    if path.exists():
        raise UserError(f"{path}: exists already; give a new file")
    trials = list(_trials(folder, space, minimizes_pflop=minimizes_pflop))
    maximize, minimize = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    names = ["accuracy", "pflop"] if minimizes_pflop else ["accuracy"]
    with warnings.catch_warnings():  # names of metrics are experimental
        warnings.simplefilter("ignore")
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path))),
            study_name=folder.name,
            directions=[maximize, minimize][: len(names)],
        )
        study.set_metric_names(names)
    study.add_trials(trials)
    return len(trials)


def _read_search(folder: SweepFolder) -> tuple[Space, bool]:
    try:
        search: Any = folder.load_file().search
        minimizes_pflop = search.get("objective") == "accuracy_and_pflop"
        return Space.from_dict(search["space"]), minimizes_pflop
    except (UnreadableError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{folder.path}: is not the folder of a search") from error


def _trials(folder: SweepFolder, space: Space, *, minimizes_pflop: bool) -> Iterator[SharedTrial]:
    rows = folder.rows()
    states = read_states(folder.runs_folder, [row.run_id for row in rows])
    known = distributions(space)
    for row in rows:
        values, state = values_in_row(space, row.values), states[row.run_id]
        if values is not None and space.present(values):
            yield as_trial(
                space,
                known,
                values,
                _outcome(state, minimizes_pflop=minimizes_pflop),
                _attributes(state, row.values),
                _times(state.record),
            )


def _outcome(state: RunState, *, minimizes_pflop: bool) -> Outcome:
    trial_state = STATES.get(state.status, TrialState.FAIL)
    record, reached = state.record, _curve(state.folder)
    if trial_state is not TrialState.COMPLETE or record is None or record.metric is None:
        is_complete = trial_state is TrialState.COMPLETE  # without a metric
        return Outcome(TrialState.FAIL if is_complete else trial_state, reached=reached)
    values = [record.metric, record.compute.pflop]
    return Outcome(trial_state, values if minimizes_pflop else values[:1], reached)


def _curve(folder: Path | None) -> dict[int, float]:
    """Val accuracy by epoch."""
    table = read_epoch_table(folder / "metrics.csv") if folder else None
    if table is None or "val_accuracy" not in table.columns:
        return {}
    epoch, accuracy = (table.columns.index(name) for name in ("epoch", "val_accuracy"))
    cells = [line.rstrip("\r").split(",") for line in table.lines]
    return {int(each[epoch]): float(each[accuracy]) for each in cells if each[accuracy]}


def _attributes(state: RunState, values: Mapping[str, str]) -> dict[str, Any]:
    seed = state.record.seed if state.record else values.get("seed")
    return {"run_id": state.run_id, "status": state.status, "seed": seed}


def _times(record: RunRecord | None) -> Sequence[datetime | None]:
    """When the run began and ended; Optuna has local times without a zone."""
    texts = (record.started_at, record.finished_at) if record else (None, None)
    return [
        datetime.fromisoformat(t).astimezone().replace(tzinfo=None) if t else None for t in texts
    ]


if __name__ == "__main__":
    sys.exit(main())
