"""Sweeps whose runs are trained in the test's process, or by an executor that follows a script."""

import errno
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.errors import EnvironmentFailure, Interrupted, UserError
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.lock import RunLockedError, lock_run
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps import sweep as module
from cifar_exp.sweeps.launchers.base import Executor, RunStoppedError
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.plan import Plan, PlannedRun, make_plan
from cifar_exp.sweeps.sweep import Sweep
from cifar_exp.sweeps.trial import Grid, Trial
from cifar_exp.terminal import PrintLine

COMMAND = "python -m cifar_exp.train"
MakePlan = Callable[..., Plan]
Run = Callable[[Plan, Executor], tuple[int, list[str]]]
STOPPED = "stopped: run the same command again to continue"


@pytest.fixture
def plan_of(small_settings: Callable[..., Settings], tmp_path: Path) -> MakePlan:
    """A plan of runs of one step with these learning rates, without validation."""

    def make(*rates: float, **changes: Any) -> Plan:
        trials = []
        for rate in rates:
            overrides = (
                f"optimizer.lr={rate}",
                "data.val_fraction=0",
                "trainer.batch_size=100000",
                "trainer.epochs=1",
                "trainer.progress=plain",
            )
            settings = small_settings(*overrides).model_copy(update=changes)
            trials.append(Trial(settings, "tiny", overrides, {"optimizer.lr": rate}))
        plan = make_plan(Grid(trials, ("optimizer.lr",), is_sweep=True), lambda *_: None)
        return replace(plan, outputs=tmp_path / "outputs")

    return make


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The exit code of a sweep, and the lines that it printed."""

    def run_sweep(plan: Plan, executor: Executor) -> tuple[int, list[str]]:
        code = Sweep(plan, executor, COMMAND).run()
        return code, capsys.readouterr().out.splitlines()

    return run_sweep


def replace_sleep(monkeypatch: pytest.MonkeyPatch, sleep: Callable[[float], object]) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=sleep))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which a sweep has waited for other processes, without waiting."""
    seconds: list[float] = []
    replace_sleep(monkeypatch, seconds.append)
    return seconds


class ScriptedExecutor(Executor):
    """Ends each run as the script says, one in each poll; `calls` lists what was called.

    `script`: by run id, what `poll` returns for it, or a function that `poll` calls.
    """

    def __init__(self, script: Mapping[str, Any]) -> None:
        self.script = script
        self.calls: list[str] = []
        self._queued: list[str] = []

    def capacity(self) -> Sequence[Slot]:
        return [Slot()]

    def submit(self, spec: RunSpec) -> None:
        self.calls.append(f"submit {spec.run_id}")
        self._queued.append(str(spec.run_id))

    def poll(self, timeout: float) -> dict[str, Exception | None]:  # noqa: ARG002
        run_id = self._queued.pop(0)
        end = self.script[run_id]
        return {run_id: end() if callable(end) else end}

    def live(self) -> set[str]:
        return set(self._queued)

    def cancel(self, *, now: bool = False) -> None:
        self.calls.append("kill" if now else "cancel")
        self._queued.clear()

    def close(self) -> None:
        self.calls.append("close")


class Cluster(ScriptedExecutor):
    """Its jobs go on without the command."""

    outlives = True

    def left_behind(self) -> Sequence[str]:
        return [f"queued   {len(self._queued)} job; to cancel: scancel 7"] if self._queued else []


def submits(plan: Plan) -> list[str]:
    return [f"submit {run_id}" for run_id in plan.by_id]


def completes(
    plan: Plan, run_id: str, make_record: Callable[..., RunRecord], **values: Any
) -> None:
    """Leaves the folder of a completed run, as another process would."""
    folder = plan.runs_folder / f"tiny-{run_id}"
    folder.mkdir(parents=True)
    make_record("completed", run_id=run_id, **values).save(folder)


def test_a_run_whose_loss_the_last_step_breaks_is_listed_and_not_tried_again(
    plan_of: MakePlan, run: Run, in_process: Any
) -> None:
    plan = plan_of(0.01, 1e30)
    for _ in range(2):
        code, lines = run(plan, in_process)
        assert code == 1
        assert any("1 completed, 1 diverged" in line for line in lines)
        message = "            DivergedError: the train_eval loss is not finite after epoch 1"
        assert lines.count(message) == 1
    assert sorted(in_process.trained) == sorted(plan.by_id)


def test_a_run_that_ends_without_a_record_is_listed_with_its_reason_and_not_tried_twice(
    plan_of: MakePlan, run: Run
) -> None:
    plan = plan_of(0.1)
    (run_id,) = plan.by_id
    reason = "reached its time limit of 1 min (hydra.launcher.timeout_min)"
    executor = ScriptedExecutor({run_id: RunStoppedError(reason)})
    code, lines = run(plan, executor)
    assert code == 1
    at = lines.index(f"pending     {run_id}  lr=0.1")
    assert lines[at + 1 : at + 3] == [
        f"            {reason}",
        f"done     1 pending; 0 MB in {plan.runs_folder}",
    ]
    assert executor.calls == [*submits(plan), "close"]


def test_escape_sequences_in_a_reason_do_not_reach_the_terminal(
    plan_of: MakePlan, run: Run
) -> None:
    plan = plan_of(0.1)
    (run_id,) = plan.by_id
    _, lines = run(plan, ScriptedExecutor({run_id: RunStoppedError("\x1b[31mred")}))
    assert r"            \x1b[31mred" in lines


def test_a_failure_that_hits_every_run_saves_the_others_and_ends_the_sweep(
    plan_of: MakePlan, run: Run
) -> None:
    plan = plan_of(0.1, 0.2)
    executor = ScriptedExecutor(dict.fromkeys(plan.by_id, EnvironmentFailure("the disk is full")))
    with pytest.raises(EnvironmentFailure, match="the disk is full"):
        run(plan, executor)
    assert executor.calls == [*submits(plan), "cancel", "close"]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_the_runs_in_progress_and_says_how_to_continue(
    plan_of: MakePlan, capsys: pytest.CaptureFixture[str], signum: int, code: int
) -> None:
    plan = plan_of(0.1, 0.2)
    executor = ScriptedExecutor(dict.fromkeys(plan.by_id, lambda: os.kill(os.getpid(), signum)))
    with pytest.raises(Interrupted) as caught:
        Sweep(plan, executor, COMMAND).run()
    assert caught.value.exit_code == code
    assert executor.calls == [*submits(plan), "cancel", "close"]
    assert capsys.readouterr().out.splitlines()[-1] == STOPPED


def test_a_signal_while_runs_are_submitted_takes_effect_after_the_last(
    plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(0.1, 0.2)
    executor = ScriptedExecutor({})
    real = executor.submit

    def submit(spec: RunSpec) -> None:
        os.kill(os.getpid(), signal.SIGTERM) if not executor.calls else None
        real(spec)

    monkeypatch.setattr(executor, "submit", submit)
    with pytest.raises(Interrupted):
        Sweep(plan, executor, COMMAND).run()
    assert executor.calls == [*submits(plan), "cancel", "close"]


def test_a_second_signal_does_not_wait_for_the_runs(
    plan_of: MakePlan, capsys: pytest.CaptureFixture[str]
) -> None:
    class Slow(ScriptedExecutor):
        def cancel(self, *, now: bool = False) -> None:
            super().cancel(now=now)
            os.kill(os.getpid(), signal.SIGINT)  # while the runs are being saved

    plan = plan_of(0.1)
    executor = Slow(dict.fromkeys(plan.by_id, lambda: os.kill(os.getpid(), signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt):
        Sweep(plan, executor, COMMAND).run()
    assert executor.calls == [*submits(plan), "cancel", "close"]
    assert capsys.readouterr().out.splitlines()[-1] == STOPPED


def test_two_signals_at_once_kill_the_runs(plan_of: MakePlan) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    plan = plan_of(0.1)
    executor = ScriptedExecutor(dict.fromkeys(plan.by_id, interrupt))
    with pytest.raises(KeyboardInterrupt):
        Sweep(plan, executor, COMMAND).run()
    assert executor.calls == [*submits(plan), "kill", "close"]


def test_a_run_that_another_process_completes_is_waited_for(
    plan_of: MakePlan,
    run: Run,
    make_record: Callable[..., RunRecord],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_of(0.1)
    (run_id,) = plan.by_id
    with ExitStack() as other_process:
        other_process.enter_context(lock_run(plan.runs_folder, run_id))

        def wait(_seconds: float) -> None:
            completes(plan, run_id, make_record)
            other_process.close()

        replace_sleep(monkeypatch, wait)
        executor = ScriptedExecutor({})
        assert run(plan, executor)[0] == 0
    assert executor.calls == ["close"]


def test_a_run_that_another_process_leaves_unfinished_is_trained_here(
    plan_of: MakePlan, run: Run, in_process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(0.1)
    (run_id,) = plan.by_id
    with ExitStack() as other_process:
        other_process.enter_context(lock_run(plan.runs_folder, run_id))
        replace_sleep(monkeypatch, lambda _seconds: other_process.close())
        assert run(plan, in_process)[0] == 0
    assert in_process.trained == [run_id]


def test_a_run_of_another_machine_is_not_launched_before_its_holder_counts_as_dead(
    plan_of: MakePlan,
    run: Run,
    in_process: Any,
    take_over: Callable[[Path, str], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_of(0.1)
    (run_id,) = plan.by_id
    take_over(plan.runs_folder, run_id)
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        assert in_process.trained == []
        if len(waits) == 3:
            monkeypatch.setattr("cifar_exp.storage.liveness.LEASE_SECONDS", 0.0)

    replace_sleep(monkeypatch, wait)
    assert run(plan, in_process)[0] == 0
    assert (in_process.trained, len(waits)) == ([run_id], 3)


def test_a_run_whose_lock_is_taken_but_names_nobody_is_tried_again_after_a_while(
    plan_of: MakePlan, run: Run, waits: list[float], make_record: Callable[..., RunRecord]
) -> None:
    plan = plan_of(0.1, 0.2)
    locked, free = plan.by_id

    def try_it() -> Exception | None:
        if len(waits) < 3:
            return RunLockedError("held")
        completes(plan, locked, make_record)
        return None

    executor = ScriptedExecutor({locked: try_it, free: lambda: completes(plan, free, make_record)})
    assert run(plan, executor)[0] == 0
    assert executor.calls == [*submits(plan), *[f"submit {locked}"] * 3, "close"]
    assert waits == [module.POLL_SECONDS] * 3


def test_a_file_in_place_of_the_locks_folder_is_a_mistake_before_any_run(
    plan_of: MakePlan, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = plan_of(0.1)
    plan.folder.mkdir(parents=True)
    (plan.folder.parent / ".locks").touch()
    executor = ScriptedExecutor({})
    with pytest.raises(UserError) as caught:
        run(plan, executor)
    assert str(caught.value) == "outputs/sweeps/.locks exists but is not a writable folder"
    assert executor.calls == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (
            errno.ENOSPC,
            "no space is left on the disk of {}; all runs are saved: "
            "make room and run the same command again to continue",
        ),
        (
            errno.EMFILE,
            "too many files are open; all runs are saved: raise the limit (ulimit -n) or lower "
            "hydra.launcher.n_jobs, and run the same command again",
        ),
    ],
)
def test_what_the_system_refuses_is_one_sentence(
    plan_of: MakePlan, run: Run, number: int, sentence: str
) -> None:
    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    plan = plan_of(0.1)
    executor = ScriptedExecutor(dict.fromkeys(plan.by_id, refuse))
    with pytest.raises(EnvironmentFailure) as caught:
        run(plan, executor)
    assert str(caught.value) == sentence.format(plan.folder)
    assert executor.calls == [*submits(plan), "cancel", "close"]


def test_failed_runs_are_left_alone_on_request(
    plan_of: MakePlan, run: Run, make_record: Callable[..., RunRecord]
) -> None:
    plan = plan_of(0.1, retry_failed=False)
    (run_id,) = plan.by_id
    folder = plan.runs_folder / f"tiny-{run_id}"
    folder.mkdir(parents=True)
    make_record("failed", run_id=run_id, error="no luck").save(folder)
    executor = ScriptedExecutor({})
    code, lines = run(plan, executor)
    assert (code, executor.calls) == (1, ["close"])
    assert "            ValueError: no luck" in lines


def test_what_follows_the_last_run_gets_what_reads_the_sweep(
    plan_of: MakePlan, capsys: pytest.CaptureFixture[str], make_record: Callable[..., RunRecord]
) -> None:
    plan = plan_of(0.1)
    (run_id,) = plan.by_id
    completes(plan, run_id, make_record)

    def on_end(reader: SnapshotReader, print_line: PrintLine) -> None:
        print_line(f"[report] of {reader.folder.path}")

    assert Sweep(plan, ScriptedExecutor({}), COMMAND, on_end).run() == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"[report] of {plan.folder}"


def test_a_sweep_ends_with_its_ranking(
    plan_of: MakePlan, run: Run, make_record: Callable[..., RunRecord]
) -> None:
    plan = plan_of(0.1, 0.2)
    first, second = plan.by_id
    completes(plan, first, make_record, final=0.5)
    completes(plan, second, make_record, final=0.75)
    _, lines = run(plan, ScriptedExecutor({}))
    assert lines[-6:] == [
        "rank   lr  n      val",
        "   1  0.2  1  75.00 %",
        "   2  0.1  1  50.00 %",
        "rank  run         val  folder",
        f"   1  lr=0.2  75.00 %  tiny-{second}",
        f"   2  lr=0.1  50.00 %  tiny-{first}",
    ]


class OneByOne:
    """An adaptive source: proposes the runs of a plan in order, each once."""

    is_adaptive = True
    note = "proposed all"

    def __init__(self, plan: Plan) -> None:
        self.plan, self.asked = plan, list[int]()
        self.runs: dict[str, PlannedRun] = {}

    def propose(
        self, states: Mapping[str, RunState], busy: AbstractSet[str], n: int
    ) -> list[PlannedRun]:
        assert set(states) == set(self.runs)
        assert busy <= set(self.runs)
        self.asked.append(n)
        new = [run for run_id, run in self.plan.by_id.items() if run_id not in self.runs][:n]
        values = {run.run_id: run.trial.values for run in new}
        SweepFolder(self.plan.folder).extend(lambda _: values)
        self.runs.update((run.run_id, run) for run in new)
        return new

    def may_spend(self, _states: Mapping[str, RunState]) -> bool:
        raise AssertionError("only what promotes paused runs asks it")


def test_an_adaptive_source_is_asked_for_as_many_runs_as_there_are_free_slots(
    plan_of: MakePlan,
    make_record: Callable[..., RunRecord],
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = plan_of(0.1, 0.2, 0.3)
    script = {i: partial(completes, plan, i, make_record) for i in plan.by_id}
    source, executor = OneByOne(plan), ScriptedExecutor(script)
    empty = replace(plan, runs=[], example=plan.runs[0].trial)
    assert Sweep(empty, executor, COMMAND, source=source).run() == 0
    assert source.asked == [1, 1, 1, 1]
    assert executor.calls == [*submits(plan), "close"]
    lines = capsys.readouterr().out.splitlines()
    assert "note     proposed all" in lines
    rows = SweepFolder(plan.folder).rows()
    assert [(row.run_id, row.status) for row in rows] == [(i, "completed") for i in plan.by_id]


def test_jobs_that_end_with_the_command_cannot_be_left_alone(plan_of: MakePlan, run: Run) -> None:
    executor = ScriptedExecutor({})
    with pytest.raises(UserError, match="wait=false: jobs of this launcher end with the command"):
        run(plan_of(0.1, wait=False), executor)
    assert executor.calls == []


def test_jobs_of_a_cluster_are_queued_and_left_to_the_next_command(
    plan_of: MakePlan, run: Run, make_record: Callable[..., RunRecord]
) -> None:
    class Leaving(Cluster):
        def poll(self, timeout: float) -> dict[str, Exception | None]:
            assert timeout == 0
            return {}

    plan = plan_of(0.1, 0.2, wait=False)
    executor = Leaving({})
    code, lines = run(plan, executor)
    assert (code, executor.calls) == (0, [*submits(plan), "close"])
    assert lines[-1] == "queued   2 runs; run the same command again to collect"
    for run_id in plan.by_id:
        completes(plan, run_id, make_record)
    collecting = Leaving({})
    assert run(plan, collecting)[0] == 0
    assert collecting.calls == ["close"]


def test_a_signal_leaves_the_jobs_of_a_cluster_and_says_how_to_cancel_them(
    plan_of: MakePlan, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(0.1, 0.2)
    executor = Cluster(dict.fromkeys(plan.by_id, lambda: os.kill(os.getpid(), signal.SIGINT)))
    with pytest.raises(Interrupted):
        Sweep(plan, executor, COMMAND).run()
    assert executor.calls == [*submits(plan), "close"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["queued   1 job; to cancel: scancel 7", STOPPED]


def test_a_second_signal_cancels_the_jobs_of_a_cluster(
    plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    replace_sleep(monkeypatch, lambda _: os.kill(os.getpid(), signal.SIGINT))
    plan = plan_of(0.1, 0.2)
    executor = Cluster(dict.fromkeys(plan.by_id, lambda: os.kill(os.getpid(), signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt):
        Sweep(plan, executor, COMMAND).run()
    assert executor.calls == [*submits(plan), "kill", "close"]
    assert "press Ctrl-C again within 4 s to cancel the jobs" in capsys.readouterr().out


def test_a_failure_of_the_command_leaves_the_jobs_of_a_cluster(plan_of: MakePlan) -> None:
    plan = plan_of(0.1, 0.2)
    executor = Cluster(dict.fromkeys(plan.by_id, EnvironmentFailure("SLURM does not answer")))
    with pytest.raises(EnvironmentFailure, match="SLURM does not answer"):
        Sweep(plan, executor, COMMAND).run()
    assert executor.calls == [*submits(plan), "close"]


def test_what_a_cluster_trains_of_other_commands_is_not_waited_for(
    plan_of: MakePlan, run: Run
) -> None:
    class Shared(Cluster):
        def live(self) -> set[str]:
            return {*super().live(), "0123456789"}

        def poll(self, timeout: float) -> dict[str, Exception | None]:
            return {**super().poll(timeout), "9876543210": None}

    plan = plan_of(0.1)
    executor = Shared(dict.fromkeys(plan.by_id))
    assert run(plan, executor)[0] == 1
    assert executor.calls == [*submits(plan), "close"]


def test_a_run_is_tried_as_often_as_retries_says(
    plan_of: MakePlan, run: Run, make_record: Callable[..., RunRecord]
) -> None:
    plan = plan_of(0.1, retries=1)
    (run_id,) = plan.by_id
    ends = iter((RunStoppedError("killed"), None))

    def end() -> Exception | None:
        error = next(ends)
        if error is None:
            completes(plan, run_id, make_record)
        return error

    executor = ScriptedExecutor({run_id: end})
    assert run(plan, executor)[0] == 0
    assert executor.calls == [f"submit {run_id}"] * 2 + ["close"]


def test_no_run_starts_after_as_many_failures_as_are_allowed(plan_of: MakePlan, run: Run) -> None:
    plan = plan_of(0.1, 0.2, 0.3, max_failures=1)
    first, *_ = plan.by_id
    executor = ScriptedExecutor({first: RunStoppedError("killed")})
    code, lines = run(plan, executor)
    assert code == 1
    assert executor.calls == [*submits(plan), "cancel", "close"]
    assert "note     stopped after 1 run did not complete (max_failures=1)" in lines
