"""Train what is missing of a sweep, with any executor, and say how it ended."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cifar_exp.errors import DONE, FAILED, EnvironmentFailure, Interrupted
from cifar_exp.runs.signals import StopRequest, stop_on_signals
from cifar_exp.storage.atomic import is_disk_full
from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.storage.record import needs_no_training
from cifar_exp.storage.run_folder import link_latest
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.duration import longest_first
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.monitor.live import Display, live_view
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import (
    disk_used,
    ranking,
    terminal,
    unsuccessful_lines,
)
from cifar_exp.sweeps.plan import Plan, PlannedRun

POLL_SECONDS = 1.0

PrintLine = Callable[[str], None]
OnEnd = Callable[[SweepFolder, PrintLine], None]


class Sweep:
    """Brings a plan to its end.

    `command` is recorded in sweep.yaml. `on_end` runs after the last run, with the sweep's folder
    and a function that prints a line.
    """

    def __init__(
        self, plan: Plan, executor: Executor, command: str, on_end: OnEnd | None = None
    ) -> None:
        self.plan, self.executor, self.command, self.on_end = plan, executor, command, on_end
        self.reader = SnapshotReader(plan.folder)
        self.mode = plan.runs[0].trial.settings.trainer.progress
        self.console = terminal(self.mode)
        self.reasons: dict[str, str] = {}
        self._finished: set[str] = set()  # by this command: not submitted again

    def run(self) -> int:
        """Train what is missing; returns the exit code.

        Raises EnvironmentFailure if it cannot continue, Interrupted after a signal, with all runs
        saved.
        """
        try:
            with self._explained_disk_errors():
                self.reader.folder.enter(self.plan.entry(self.command))
                self._print_start()
                with live_view(self.reader, Display(self.console, self.mode)):
                    self._train_missing()
                code = self._print_end()
                if self.on_end is not None:
                    self.on_end(self.reader.folder, self._print)
                return code
        except (Interrupted, KeyboardInterrupt):
            self._print_end()
            self._print("stopped: run the same command again to continue")
            raise

    def _train_missing(self) -> None:
        with self.executor, stop_on_signals() as stop:
            try:
                self._work(stop)
            except KeyboardInterrupt:
                self.executor.cancel(now=True)
                raise
            except BaseException:  # an interrupt, a full disk: the runs in progress are saved
                self.executor.cancel()
                raise

    def _work(self, stop: StopRequest) -> None:
        """Submit what is missing, in launch order, until nothing is."""
        while missing := self._missing():
            unlocked = [run for run in missing if self._states[run.run_id].owner is None]
            if not unlocked:  # another process trains the rest: wait for its results
                time.sleep(POLL_SECONDS)
                continue
            with stop.deferred():
                for run in unlocked:
                    self.executor.submit(self.plan.spec(run))
            while self.executor.live():
                for run_id, error in self.executor.poll(POLL_SECONDS).items():
                    self._note(run_id, error)

    def _note(self, run_id: str, error: Exception | None) -> None:
        if isinstance(error, EnvironmentFailure):
            raise error
        if isinstance(error, RunLockedError):
            return
        self._finished.add(run_id)
        if error is not None:
            self.reasons[run_id] = str(error)

    def _missing(self) -> list[PlannedRun]:
        """The runs to submit, and those that another process trains, in launch order."""
        runs = self.plan.by_id
        self._states = read_states(self.plan.runs_folder, runs)
        for run_id, state in self._states.items():  # a worker may have been killed at a run's end
            if state.folder is not None:
                settle(self.plan.runs_folder, run_id, state.folder)
        missing = [run for run in runs.values() if self._is_missing(run, self._states[run.run_id])]
        return launch_order(missing)

    def _is_missing(self, run: PlannedRun, state: RunState) -> bool:
        if state.owner is not None:
            return True
        settings = run.trial.settings
        return run.run_id not in self._finished and not needs_no_training(state.status, settings)

    def _print_start(self) -> None:
        plan = self.plan
        states = read_states(plan.runs_folder, plan.by_id)
        done = sum(needs_no_training(states[r.run_id].status, r.trial.settings) for r in plan.runs)
        self._print(f"sweep    {plan.folder}")
        self._print(f"runs     {plan.size}; {done} already done")

    def _print_end(self) -> int:
        """Print the ranking, every failure and where the results are; returns the exit code."""
        snapshot = self.reader.take()
        self.reader.folder.refresh(snapshot.states)
        link_latest(self.plan.outputs, self.plan.folder)
        if snapshot.ranked:
            self.console.print(ranking(snapshot))
        for line in unsuccessful_lines(snapshot, self.reasons):
            self._print(line)
        folders = [state.folder for state in snapshot.states.values() if state.folder]
        counts = ", ".join(f"{n} {status}" for status, n in snapshot.counts.items())
        self._print(f"done     {counts}; {disk_used(folders)} in {self.plan.runs_folder}")
        self._print(f"results  {self.plan.folder / 'runs.csv'}")
        own = [snapshot.states[run.run_id].status for run in self.plan.runs]
        return DONE if all(status == "completed" for status in own) else FAILED

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False)

    @contextmanager
    def _explained_disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not is_disk_full(error):
                raise
            raise EnvironmentFailure(
                f"there is no space left on the disk of {self.plan.folder}; all runs are whole: "
                "make room and run the same command again"
            ) from error


def launch_order(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Seeds outermost, so that one whole grid is done early; within a seed, longest runs first."""
    by_id = {run.run_id: run for run in runs}
    costs = {run.run_id: run.cost for run in runs}
    order = longest_first(costs, by_id)
    seeds = list(dict.fromkeys(run.trial.settings.seed for run in runs))
    return sorted((by_id[i] for i in order), key=lambda run: seeds.index(run.trial.settings.seed))
