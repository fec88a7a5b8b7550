"""Train the missing runs of a sweep with any executor, and print how it ended."""

import time
from collections.abc import Callable, Iterable, Sequence

from cifar_exp.errors import DONE, FAILED, EnvironmentFailure, Interrupted
from cifar_exp.runs.signals import StopRequest, stop_on_signals
from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.failures import explained
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.storage.record import needs_no_training
from cifar_exp.storage.run_folder import link_latest
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.sweeps.duration import longest_first
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.monitor.live import Display, live_view
from cifar_exp.sweeps.monitor.ranking import result_lines
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import disk_used, status_counts, unsuccessful_lines
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.progress import Progress
from cifar_exp.terminal import PrintLine, open_console, print_line

POLL_SECONDS = 1.0

OnEnd = Callable[[SnapshotReader, PrintLine], None]


def print_results(reader: SnapshotReader, print_line: PrintLine) -> None:
    """Rank the configurations of a sweep by the means of their runs."""
    for line in result_lines(reader.take(), reader.folder.path / "runs.csv"):
        print_line(line)


class Sweep:
    """Trains the runs of a plan that are missing.

    Run folders and locks are the only state: a run is missing while they say so, whichever process
    trained it. `command` is recorded in sweep.yaml. `on_end` prints the ranking after the last
    run; it gets what reads the sweep, and a function that prints a line.
    """

    def __init__(
        self, plan: Plan, executor: Executor, command: str, on_end: OnEnd = print_results
    ) -> None:
        self.plan, self.executor, self.command, self.on_end = plan, executor, command, on_end
        self.reader = SnapshotReader(plan.folder)
        self.mode = plan.runs[0].trial.settings.trainer.progress
        self.console = open_console(self.mode)
        self.reasons: dict[str, str] = {}  # of runs that could not record one themselves
        self._finished: set[str] = set()  # by this command: not submitted again
        self._locked: set[str] = set()  # by another process, when they were last submitted

    def run(self) -> int:
        """Train the missing runs, print the results and return the exit code.

        Raises UserError or EnvironmentFailure if the sweep cannot continue, Interrupted or
        KeyboardInterrupt after a signal. All runs are saved first.
        """
        with explained(self.plan.folder, "all runs are saved"):
            self.reader.folder.enter(self.plan.entry(self.command))
            self._print_start()
            try:
                with live_view(self.reader, Display(self.console, self.mode)):
                    self._train_missing()
            except (Interrupted, KeyboardInterrupt):
                self._print_end()
                print_results(self.reader, self._print)
                self._print("stopped: run the same command again to continue")
                raise
            code = self._print_end()
            self.on_end(self.reader, self._print)
            return code

    def _train_missing(self) -> None:
        with self.executor, stop_on_signals() as stop:
            try:
                self._work(stop)
            except KeyboardInterrupt:  # the second signal: do not wait
                self.executor.cancel(now=True)
                raise
            except BaseException:  # a signal or a full disk: save the runs in progress
                self.executor.cancel()
                raise

    def _work(self, stop: StopRequest) -> None:
        while missing := self._missing():
            free = [run for run in missing if not self._is_held(run)]
            if free:
                with stop.deferred():
                    for run in free:
                        self.executor.submit(self.plan.spec(run))
                self._wait_for_executor()
            else:  # other processes train the rest: wait for their results
                time.sleep(POLL_SECONDS)
                self._locked.clear()

    def _wait_for_executor(self) -> None:
        while self.executor.live():
            for run_id, error in self.executor.poll(POLL_SECONDS).items():
                self._handle_end(run_id, error)

    def _handle_end(self, run_id: str, error: Exception | None) -> None:
        if isinstance(error, EnvironmentFailure):
            raise error
        if isinstance(error, RunLockedError):
            self._locked.add(run_id)
            return
        self._finished.add(run_id)
        if error is not None:
            self.reasons[run_id] = str(error)

    def _missing(self) -> list[PlannedRun]:
        """The runs to train, and those that other processes are training, in launch order."""
        runs = self.plan.by_id
        self._states = read_states(self.plan.runs_folder, runs)
        for run_id, state in self._states.items():  # a worker may have been killed at a run's end
            if state.folder is not None:
                settle(self.plan.runs_folder, run_id, state.folder)
        return launch_order([run for run in runs.values() if self._is_missing(run)])

    def _is_missing(self, run: PlannedRun) -> bool:
        if self._is_held(run):
            return True
        status = self._states[run.run_id].status
        is_done = needs_no_training(status, run.trial.settings)
        return not is_done and run.run_id not in self._finished

    def _is_held(self, run: PlannedRun) -> bool:
        """Whether another process trains the run."""
        return self._states[run.run_id].holder is not None or run.run_id in self._locked

    def _print_start(self) -> None:
        for line in self.plan.heading:
            self._print(line)
        self._print(f"grid     {Progress.of(self.plan)}")

    def _print_end(self) -> int:
        """Print each failure and where the results are; returns the exit code."""
        snapshot = self.reader.take()
        self.reader.folder.refresh(snapshot.states)
        link_latest(self.plan.outputs, self.plan.folder)
        for line in unsuccessful_lines(snapshot, self.reasons):
            self._print(line)
        used = disk_used([state.folder for state in snapshot.states.values() if state.folder])
        self._print(f"done     {status_counts(snapshot)}; {used} in {self.plan.runs_folder}")
        self._print(f"results  {self.plan.folder / 'runs.csv'}")
        return self._exit_code(snapshot.states[run.run_id] for run in self.plan.runs)

    def _exit_code(self, states: Iterable[RunState]) -> int:
        return DONE if all(state.status == "completed" for state in states) else FAILED

    def _print(self, line: str, /, *, is_bold: bool = False) -> None:
        print_line(self.console, line, is_bold=is_bold)


def launch_order(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Seeds outermost, so that one whole grid is done early; within a seed, longest runs first."""
    by_id = {run.run_id: run for run in runs}
    costs = {run.run_id: run.cost for run in runs}
    order = longest_first(costs, by_id)
    seeds = list(dict.fromkeys(run.trial.settings.seed for run in runs))
    return sorted((by_id[i] for i in order), key=lambda run: seeds.index(run.trial.settings.seed))
