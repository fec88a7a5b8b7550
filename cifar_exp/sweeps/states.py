"""The states of a sweep's runs, read again and again while it goes on."""

from collections.abc import Iterable
from pathlib import Path

from cifar_exp.storage.atomic import mtime_ns
from cifar_exp.storage.lock import lock_holder
from cifar_exp.storage.record import TERMINAL
from cifar_exp.storage.run_state import RunState, read_state, run_folders

# The folder of such a run does not change before its run.json does.
AT_REST = TERMINAL | {"pruned"}


class StateReader:
    """Reads runs of one folder; a run that has ended, or is paused, is read once."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._ended: dict[str, tuple[int, RunState]] = {}

    def read(self, run_ids: Iterable[str]) -> dict[str, RunState]:
        """The states of these runs now, by id."""
        folders = run_folders(self.runs)
        return {run_id: self._read(run_id, folders.get(run_id)) for run_id in run_ids}

    def _read(self, run_id: str, folder: Path | None) -> RunState:
        written = mtime_ns(folder / "run.json") if folder else 0
        known_at, known = self._ended.get(run_id, (0, None))
        is_same = known is not None and known_at == written and known.folder == folder
        if known is not None and is_same and lock_holder(self.runs, run_id) is None:
            return known  # if it is held, it is being trained again
        state = read_state(self.runs, run_id, folder)
        if state.status in AT_REST:
            self._ended[run_id] = (written, state)
        return state
