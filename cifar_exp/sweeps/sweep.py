"""Train the runs that a source of trials proposes with any executor, and print how it ended."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from cifar_exp.errors import DONE, FAILED, EnvironmentFailure, Interrupted, UserError
from cifar_exp.runs.signals import StopRequest, stop_on_signals
from cifar_exp.storage.cleanup import settle
from cifar_exp.storage.failures import explained
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.storage.run_folder import link_latest
from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.alert import alert
from cifar_exp.sweeps.attempts import Attempts
from cifar_exp.sweeps.launchers.base import Executor, LaunchFailedError
from cifar_exp.sweeps.monitor.live import Display, live_view
from cifar_exp.sweeps.monitor.ranking import result_lines
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.monitor.table import disk_used, status_counts, unsuccessful_lines
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.progress import Progress
from cifar_exp.sweeps.search.base import Source
from cifar_exp.sweeps.search.promotion import with_promotion
from cifar_exp.sweeps.search.registry import make_source
from cifar_exp.sweeps.states import StateReader
from cifar_exp.terminal import PrintLine, open_console, print_line
from cifar_exp.text import counted

POLL_SECONDS = 1.0
CANCEL_SECONDS = 4.0  # for a second signal to cancel the jobs of a cluster
# A sweep is over without a failure when all of its runs are in these.
SUCCESSFUL = frozenset({"completed", "pruned"})
# Runs in these that were not even proposed: a rule decided against their configuration.
UNTRIED = frozenset({"pending", "interrupted"})

OnEnd = Callable[[SnapshotReader, PrintLine], None]


def print_results(reader: SnapshotReader, print_line: PrintLine) -> None:
    """Rank the configurations of a sweep by the means of their runs."""
    for line in result_lines(reader.take(), reader.folder.path / "runs.csv"):
        print_line(line)


class Sweep:
    """Trains the runs that `source` proposes; by default the one that the plan asks for.

    Where the plan prunes, paused runs that are promoted are proposed too.

    Run folders and locks are the only state: what is missing is read from them, whichever process
    trained it. `command` is recorded in sweep.yaml. `on_end` prints the ranking after the last
    run; it gets what reads the sweep, and a function that prints a line.
    """

    def __init__(
        self,
        plan: Plan,
        executor: Executor,
        command: str,
        on_end: OnEnd = print_results,
        source: Source | None = None,
    ) -> None:
        self.plan, self.executor, self.command, self.on_end = plan, executor, command, on_end
        self.source = with_promotion(source or make_source(plan), plan, executor.live)
        self.reader = SnapshotReader(plan.folder)
        self.mode = plan.settings.trainer.progress
        self.console = open_console(self.mode)
        self.attempts = Attempts(plan.settings)
        self._states = StateReader(plan.runs_folder)
        self._settled: dict[str, RunState] = {}
        self._proposed: set[str] = set()
        self._locked: set[str] = set()  # by another process, when they were last submitted

    def run(self) -> int:
        """Train the proposed runs, print the results and return the exit code.

        Raises UserError or EnvironmentFailure if the sweep cannot continue, Interrupted or
        KeyboardInterrupt after a signal. All runs are saved first.
        """
        self._check_wait()
        with explained(self.plan.folder, "all runs are saved"), alert(self.plan) as alarm:
            self.reader.folder.enter(self.plan.entry(self.command))
            self._print_start()
            try:
                with live_view(self.reader, Display(self.console, self.mode)):
                    left = self._train()
            except (Interrupted, KeyboardInterrupt):
                self._print_end()
                print_results(self.reader, self._print)
                self._print_left_behind()
                self._print("stopped: run the same command again to continue")
                raise
            code = self._print_end()
            if left:
                self._print(
                    f"queued   {counted(left, 'run')}; run the same command again to collect"
                )
                return DONE
            self.on_end(self.reader, self._print)
            alarm.exit_code = code
            return code

    def _check_wait(self) -> None:
        if not self.plan.settings.wait and not self.executor.outlives:
            raise UserError(
                "wait=false: jobs of this launcher end with the command; "
                "it goes with hydra/launcher=slurm"
            )

    def _train(self) -> int:
        """Train until nothing is proposed; returns the number of runs left in a cluster's queue."""
        with self.executor, stop_on_signals() as stop:
            try:
                return self._work(stop)
            except KeyboardInterrupt:  # the second signal: do not wait
                self.executor.cancel(now=True)
                raise
            except BaseException as error:  # a signal or a full disk: save the runs in progress
                if not self.executor.outlives:
                    self.executor.cancel()
                elif isinstance(error, Interrupted) and self.console.is_terminal:
                    self._offer_to_cancel()
                raise

    def _offer_to_cancel(self) -> None:
        if not self.executor.left_behind():
            return
        self._print(f"stopping press Ctrl-C again within {CANCEL_SECONDS:g} s to cancel the jobs")
        try:
            time.sleep(CANCEL_SECONDS)
        except KeyboardInterrupt:
            self.executor.cancel(now=True)
            raise

    def _print_left_behind(self) -> None:
        for line in self.executor.left_behind():
            self._print(line)

    def _work(self, stop: StopRequest) -> int:
        while True:
            states = self._read_states()
            if self.attempts.is_enough:
                self.executor.cancel()
                return 0
            proposed = self.source.propose(states, self._busy(states), self._room())
            if proposed:
                self._submit(proposed, stop)
            if self._live():
                has_news = self._wait_for_executor()
                if not (has_news or self.plan.settings.wait):
                    return len(self._live())
            elif self._held(states):  # other processes train the rest: wait for their results
                time.sleep(POLL_SECONDS)
                self._locked.clear()
            elif not proposed:
                return 0

    def _submit(self, runs: Sequence[PlannedRun], stop: StopRequest) -> None:
        self._proposed |= {run.run_id for run in runs}
        with stop.deferred():
            for run in runs:
                self.executor.submit(self.plan.spec(run))

    def _room(self) -> int:
        """How many runs may be proposed."""
        if not self.source.is_adaptive:
            return len(self.source.runs)
        return max(0, len(self.executor.capacity()) - len(self.executor.live()))

    def _wait_for_executor(self) -> bool:
        """Poll until something can be proposed; returns whether any run has ended."""
        waits = self.plan.settings.wait
        while self._live():
            ends = self.executor.poll(POLL_SECONDS if waits else 0.0)
            self._handle_ends(ends)
            # what other processes do may have made room for a proposal too
            if ends or not waits or (self.source.is_adaptive and self._room()):
                return bool(ends)
        return False

    def _handle_ends(self, ends: Mapping[str, Exception | None]) -> None:
        ends = {run_id: end for run_id, end in ends.items() if run_id in self.source.runs}
        for run_id, error in ends.items():
            if isinstance(error, EnvironmentFailure):
                raise error
            if isinstance(error, RunLockedError):
                self._locked.add(run_id)
            elif not isinstance(error, LaunchFailedError):
                self.attempts.add(run_id, error)
        launched = {i: error for i, error in ends.items() if isinstance(error, LaunchFailedError)}
        if launched:
            self.attempts.add_launch(set(launched), next(iter(launched.values())))

    def _read_states(self) -> dict[str, RunState]:
        states = self._states.read(self.source.runs)
        for run_id, state in states.items():  # a worker may have been killed at a run's end
            # one that is kept in memory is the same object; reading it again takes a millisecond
            if state.folder is not None and self._settled.get(run_id) is not state:
                settle(self.plan.runs_folder, run_id, state.folder)
                self._settled[run_id] = state
        self.attempts.judge(states)
        return states

    def _live(self) -> set[str]:
        """Those of the runs that are live; a cluster may have others of the same sweep."""
        return self.executor.live() & self.source.runs.keys()

    def _busy(self, states: Mapping[str, RunState]) -> set[str]:
        return self.executor.live() | self._held(states) | self.attempts.given_up

    def _held(self, states: Mapping[str, RunState]) -> set[str]:
        """The runs that other processes train."""
        holders = {run_id for run_id, state in states.items() if state.holder is not None}
        return (holders | self._locked) - self.executor.live()

    def _print_start(self) -> None:
        for line in self.plan.heading:
            self._print(line)
        self._print(str(Progress.of(self.plan, self.source)))

    def _print_end(self) -> int:
        """Print each failure and where the results are; returns the exit code."""
        snapshot = self.reader.take()
        self.reader.folder.refresh(snapshot.states)
        link_latest(self.plan.outputs, self.plan.folder)
        for line in unsuccessful_lines(snapshot, self.attempts.reasons):
            self._print(line)
        used = disk_used([state.folder for state in snapshot.states.values() if state.folder])
        self._print(f"done     {status_counts(snapshot)}; {used} in {self.plan.runs_folder}")
        for note in filter(None, (*self.attempts.notes, self.source.note)):
            self._print(f"note     {note}")
        self._print(f"results  {self.plan.folder / 'runs.csv'}")
        return self._exit_code(snapshot.states[run_id] for run_id in self.source.runs)

    def _exit_code(self, states: Iterable[RunState]) -> int:
        return FAILED if any(map(self._is_owed, states)) else DONE

    def _is_owed(self, state: RunState) -> bool:
        """Whether the sweep should have trained the run, but it did not complete."""
        is_held_back = state.status in UNTRIED and state.run_id not in self._proposed
        return state.status not in SUCCESSFUL and not is_held_back

    def _print(self, line: str, /, *, is_bold: bool = False) -> None:
        print_line(self.console, line, is_bold=is_bold)
