"""Train what is missing of a sweep, with any launcher, and tell how it ended."""

import time
from collections.abc import Callable, Mapping, Sequence

from cifar_exp.errors import DONE, FAILED, EnvironmentFailure, Interrupted
from cifar_exp.hydra_app.sweep_report import report_changes
from cifar_exp.storage.atomic import is_disk_full
from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.storage.record import needs_no_training
from cifar_exp.storage.run_folder import link_latest
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.sweeps.duration import longest_first
from cifar_exp.sweeps.monitor.live import Display, live_view
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import disk_used, ranking, terminal, unsuccessful_lines
from cifar_exp.sweeps.plan import Plan, PlannedRun

POLL_SECONDS = 1.0

# Has the runs made, in this order; returns the error of each that came to no end of its own.
Launch = Callable[[Sequence[PlannedRun]], Mapping[str, Exception]]


class Sweep:
    """A plan on its way to be done."""

    def __init__(self, plan: Plan, launch: Launch, command: str) -> None:
        self.plan, self.launch, self.command = plan, launch, command
        self.reader = SnapshotReader(plan.folder)
        self.mode = plan.runs[0].trial.settings.trainer.progress
        self.console = terminal(self.mode)
        self.reasons: dict[str, str] = {}
        self._asked: set[str] = set()

    def go(self) -> int:
        """Train what is missing; returns the exit code.

        Raises EnvironmentFailure where it cannot go on, Interrupted after a signal, all runs saved.
        """
        try:
            self.reader.folder.enter(self.plan, self.command)
            self._tell_begin()
            with live_view(self.reader, Display(self.console, self.mode)):
                self._train_missing()
            code = self._tell_end()
            self._report()
            return code
        except (Interrupted, KeyboardInterrupt):
            self._tell_end()
            self.console.print("stopped: the same command goes on from here", markup=False)
            raise
        except OSError as error:
            if is_disk_full(error):
                raise EnvironmentFailure(
                    f"there is no space left on the disk of {self.plan.folder}; all runs are "
                    "whole: make room and give the same command again"
                ) from error
            raise

    def _train_missing(self) -> None:
        while missing := self._missing():
            free = [run for run in missing if not self._states[run.run_id].owner]
            if not free:  # another process has the rest: its results will do
                time.sleep(POLL_SECONDS)
                continue
            errors = self.launch(free)
            for run in free:
                self._note(run.run_id, errors.get(run.run_id))
        for run_id, state in self._states.items():  # a worker may have been killed at a run's end
            if state.folder is not None:
                settle(self.plan.runs_folder, run_id, state.folder)

    def _note(self, run_id: str, error: Exception | None) -> None:
        if isinstance(error, EnvironmentFailure):
            raise error
        if isinstance(error, RunLockedError):
            return
        self._asked.add(run_id)
        if error is not None:
            self.reasons[run_id] = str(error)

    def _missing(self) -> list[PlannedRun]:
        """What is to be trained yet, or is being trained elsewhere; the order of `launch_order`."""
        runs = self.plan.by_id
        self._states = read_states(self.plan.runs_folder, runs)
        missing = [run for run in runs.values() if self._is_missing(run, self._states[run.run_id])]
        return launch_order(missing)

    def _is_missing(self, run: PlannedRun, state: RunState) -> bool:
        if state.owner is not None:
            return True
        return run.run_id not in self._asked and not needs_no_training(
            state.status, run.trial.settings
        )

    def _tell_begin(self) -> None:
        plan = self.plan
        states = read_states(plan.runs_folder, plan.by_id)
        left = sum(needs_no_training(states[r.run_id].status, r.trial.settings) for r in plan.runs)
        self.console.print(f"sweep    {plan.folder}", markup=False)
        self.console.print(f"runs     {plan.size}, {left} of them done before")

    def _report(self) -> None:
        if self.plan.runs[0].trial.settings.report:
            report_changes(self.reader.folder, lambda line: self.console.print(line, markup=False))

    def _tell_end(self) -> int:
        """The ranked table, every failure, and where all is; returns the exit code."""
        snapshot = self.reader.take()
        self.reader.folder.refresh(snapshot.states)
        link_latest(self.plan.outputs, self.plan.folder)
        print_ = self.console.print
        if snapshot.ranked:
            print_(ranking(snapshot))
        for line in unsuccessful_lines(snapshot, self.reasons):
            print_(line, markup=False)
        folders = [state.folder for state in snapshot.states.values() if state.folder]
        counts = ", ".join(f"{n} {status}" for status, n in snapshot.counts.items())
        print_(f"done     {counts}; {disk_used(folders)} in {self.plan.runs_folder}", markup=False)
        print_(f"results  {self.plan.folder / 'runs.csv'}", markup=False)
        own = [snapshot.states[run.run_id].status for run in self.plan.runs]
        return DONE if all(status == "completed" for status in own) else FAILED


def launch_order(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Seeds outermost, so that a whole grid is there early; of one seed the longest runs first."""
    by_id = {run.run_id: run for run in runs}
    costs = {run.run_id: run.cost for run in runs}
    order = longest_first(costs, by_id)
    seeds = list(dict.fromkeys(run.trial.settings.seed for run in runs))
    return sorted((by_id[i] for i in order), key=lambda run: seeds.index(run.trial.settings.seed))
