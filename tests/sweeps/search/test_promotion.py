"""Whole sweeps whose runs are paused and promoted; their epochs are played from made-up curves."""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.pruning import PruningSection
from cifar_exp.config.schema import Settings
from cifar_exp.errors import UserError
from cifar_exp.runs.pruning.base import PausedError
from cifar_exp.runs.pruning.pruner import pruner_of
from cifar_exp.runs.pruning.siblings import siblings_of
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.atomic import write_csv
from cifar_exp.storage.record import PrunedInfo, RunRecord
from cifar_exp.storage.run_state import read_states
from cifar_exp.storage.selection import Selection
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.plan import Plan, PlannedRun, PlannedSearch
from cifar_exp.sweeps.search.grid import GridSource
from cifar_exp.sweeps.search.promotion import check_pruning, with_promotion
from cifar_exp.sweeps.search.space import Dimension, Space
from cifar_exp.sweeps.sweep import Sweep
from cifar_exp.sweeps.trial import Grid, Search, Trial

EPOCHS = 8
RATES = Dimension("optimizer.lr", "float", 1e-3, 1.0, is_log=True)
NUMBERS = Space((RATES, Dimension("model.width", "int", 4, 64)))
Curves = Mapping[str, Sequence[float]]
MakePlan = Callable[..., Plan]
Write = Callable[..., None]


class KilledError(BaseException):
    """In place of SIGKILL: nothing is recorded after it."""


@dataclass
class Played(Executor):
    """Plays one run a poll, from its last epoch on, until its rule pauses it or it completes.

    `trained` lists each run and epoch. It is killed before epoch number `killed_at`. A run in
    `broken` fails in its first epoch.
    """

    curves: Curves
    write: Write
    killed_at: int | None = None
    broken: frozenset[str] = frozenset()
    trained: list[tuple[str, int]] = field(default_factory=list)
    queued: dict[str, RunSpec] = field(default_factory=dict)

    def capacity(self) -> list[Slot]:
        return [Slot()]

    def submit(self, spec: RunSpec) -> None:
        self.queued[str(spec.run_id)] = spec

    def poll(self, timeout: float) -> dict[str, Exception | None]:  # noqa: ARG002
        run_id, spec = self.queued.popitem()
        self.play(run_id, spec)
        return {run_id: None}

    def play(self, run_id: str, spec: RunSpec) -> None:
        if run_id in self.broken:
            self.write(run_id, "failed", [])
            return
        state = read_states(spec.runs, [run_id])[run_id]
        pruner = pruner_of(spec, run_id)
        try:
            if pruner is not None and state.epoch and state.status != "pruned":
                pruner.check(state.epoch)
            for epoch in range(state.epoch + 1, EPOCHS + 1):
                if len(self.trained) == self.killed_at:
                    raise KilledError
                self.trained.append((run_id, epoch))
                self.write(run_id, "running", self.curves[run_id][:epoch])
                if pruner is not None:
                    pruner.check(epoch)
        except PausedError as pause:
            done = self.curves[run_id][: pause.pruned.epoch]
            self.write(run_id, "pruned", done, pause.pruned)
        else:
            self.write(run_id, "completed", self.curves[run_id])

    def live(self) -> set[str]:
        return set(self.queued)

    def cancel(self, *, now: bool = False) -> None:  # noqa: ARG002
        self.queued = {}


@pytest.fixture
def write(tmp_path: Path, make_record: Callable[..., RunRecord]) -> Write:
    """Writes a run with these accuracies, as it would be recorded."""

    def record(
        run_id: str, status: Any, done: Sequence[float], pruned: PrunedInfo | None = None
    ) -> None:
        folder = tmp_path / "runs" / f"tiny-{run_id}"
        folder.mkdir(exist_ok=True, parents=True)
        rows = [{"epoch": i, "val_accuracy": each} for i, each in enumerate(done, 1)]
        write_csv(folder / "metrics.csv", ["epoch", "val_accuracy"], rows)
        final = done[-1] if done else None
        made = make_record(status, run_id=run_id, epochs=EPOCHS, final=final)
        made.model_copy(update={"pruned": pruned}).save(folder)

    return record


@cache
def composed(compose: Callable[..., Settings]) -> Settings:
    return compose("data=shapes", "model=tiny", f"trainer.epochs={EPOCHS}", "trainer.progress=none")


@pytest.fixture
def composed_settings(make_settings: Callable[..., Settings]) -> Settings:
    """The settings of all runs, without a rule."""
    return composed(make_settings)


@pytest.fixture
def plan_of(tmp_path: Path, composed_settings: Settings) -> MakePlan:
    """The plan of a grid of `n` configurations, with the words of its pruning."""
    base = composed_settings

    def make(n: int, rule: str, *, seeds: Sequence[int] = (0,), **words: Any) -> Plan:
        section = PruningSection.model_validate({"name": rule, **words})
        runs = []
        for seed in seeds:
            settings = base.model_copy(update={"seed": seed, "pruning": section})
            for width in range(n):
                trial = Trial(settings, "tiny", (), {"model.width": width, "seed": seed})
                runs.append(PlannedRun(f"{seed:02x}{width:08x}", trial, None))
        return Plan("widths", ("model.width", "seed"), runs, len(runs), {}, outputs=tmp_path)

    return make


def curves_of(plan: Plan, seed: int = 0) -> Curves:
    """Rising curves that cross now and then."""
    draw = random.Random(seed)
    limits = {run_id: draw.random() for run_id in plan.by_id}
    return {
        run_id: [limit * epoch / EPOCHS + 0.1 * draw.random() for epoch in range(1, EPOCHS + 1)]
        for run_id, limit in limits.items()
    }


def statuses(plan: Plan) -> dict[str, str]:
    return {i: state.status for i, state in read_states(plan.runs_folder, plan.by_id).items()}


def play(plan: Plan, executor: Executor) -> int:
    return Sweep(plan, executor, "python -m cifar_exp.train").run()


def asha_one_job(curves: Curves, rungs: Sequence[int], reduction: int) -> list[tuple[str, int]]:
    """Algorithm 2 of arXiv:1810.05934 with one worker, and at last the best of unfinished rungs."""
    done: dict[str, int] = {}
    trained: list[tuple[str, int]] = []
    waiting = list(curves)

    def reached(rung: int) -> list[str]:
        there = [run for run in curves if done.get(run, 0) >= rung]
        return sorted(there, key=lambda run: -curves[run][rung - 1])

    def best(rung: int, least: int = 0) -> list[str]:
        ranked = reached(rung)
        return ranked[: max(least, len(ranked) // reduction)]

    def promotable(least: int) -> list[str]:
        return [r for rung in reversed(rungs) for r in best(rung, least) if done[r] == rung]

    def next_run() -> str | None:
        if promotable(0):
            return promotable(0)[0]
        if waiting:
            return waiting.pop(0)
        return next(iter(promotable(1)), None)

    while (run := next_run()) is not None:
        while done.get(run, 0) < EPOCHS:
            done[run] = done.get(run, 0) + 1
            trained.append((run, done[run]))
            if done[run] in rungs and run not in best(done[run]):
                break
    return trained


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (2, 1), (7, 2), (12, 3), (12, 4)])
def test_asha_trains_what_the_paper_trains(
    plan_of: MakePlan, write: Write, n: int, seed: int
) -> None:
    plan = plan_of(n, "asha")
    executor = Played(curves_of(plan, seed), write)
    assert play(plan, executor) == 0
    assert executor.trained == asha_one_job(executor.curves, [1, 3], 3)
    assert "completed" in statuses(plan).values()


@pytest.mark.parametrize(
    ("rule", "killed_at"),
    [*(("asha", epoch) for epoch in (0, 5, 14)), ("top_k", 9), ("median", 42)],
)
def test_a_sweep_that_was_killed_decides_as_one_that_was_not(
    plan_of: MakePlan, write: Write, tmp_path: Path, rule: str, killed_at: int
) -> None:
    plan = plan_of(8, rule, top=2, reduction=2)
    undisturbed = Played(curves_of(plan), write)
    play(plan, undisturbed)
    shutil.rmtree(tmp_path / "runs")
    shutil.rmtree(tmp_path / "sweeps")
    siblings_of.cache_clear()  # of the process that is killed
    killed = Played(undisturbed.curves, write, killed_at)
    with pytest.raises(KilledError):
        play(plan, killed)
    siblings_of.cache_clear()
    again = Played(undisturbed.curves, write)
    assert play(plan, again) == 0
    assert [*killed.trained, *again.trained] == undisturbed.trained


@pytest.mark.parametrize("may_spend", [True, False])
def test_no_paused_run_is_promoted_when_the_budget_is_used_up(
    plan_of: MakePlan, write: Write, monkeypatch: pytest.MonkeyPatch, may_spend: bool
) -> None:
    monkeypatch.setattr(GridSource, "may_spend", lambda *_: may_spend)
    plan = plan_of(12, "asha")
    executor = Played(curves_of(plan), write)
    assert play(plan, executor) == 0
    stretches = [run_id for run_id, _ in groupby(executor.trained, lambda each: each[0])]
    assert (len(stretches) == len(set(stretches)) == 12) is not may_spend


def test_a_sweep_that_is_over_trains_nothing_more(plan_of: MakePlan, write: Write) -> None:
    plan = plan_of(7, "asha")
    play(plan, Played(curves_of(plan), write))
    again = Played({}, write)
    assert play(plan, again) == 0
    assert again.trained == []


def test_without_pruning_every_paused_run_is_trained_to_its_end(
    plan_of: MakePlan, write: Write
) -> None:
    plan = plan_of(7, "asha")
    first = Played(curves_of(plan), write)
    play(plan, first)
    assert set(statuses(plan).values()) == {"completed", "pruned"}
    second = Played(first.curves, write)
    assert play(plan_of(7, "none"), second) == 0
    assert set(statuses(plan).values()) == {"completed"}
    assert len(first.trained) + len(second.trained) == 7 * EPOCHS


def test_top_k_gives_each_configuration_its_grace_and_the_best_the_rest(
    plan_of: MakePlan, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(6, "top_k", top=2, grace=2)
    executor = Played(curves_of(plan), write)
    assert play(plan, executor) == 0
    best = sorted(plan.by_id, key=lambda run: -executor.curves[run][1])[:2]
    expected = {run: EPOCHS if run in best else 2 for run in plan.by_id}
    assert Counter(run for run, _ in executor.trained) == expected
    note = "note     4 runs paused by pruning=top_k; pruning=none would train them to their end"
    assert note in capsys.readouterr().out.splitlines()


def test_a_run_that_fails_does_not_keep_the_others_waiting(plan_of: MakePlan, write: Write) -> None:
    plan = plan_of(4, "top_k", top=1)
    failing = next(iter(plan.by_id))
    executor = Played(curves_of(plan), write, broken=frozenset({failing}))
    assert play(plan, executor) == 1
    assert sorted(statuses(plan).values()) == ["completed", "failed", "pruned", "pruned"]


def test_further_seeds_are_trained_where_the_first_has_completed(
    plan_of: MakePlan, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(4, "top_k", top=1, seeds=(5, 3))
    executor = Played(curves_of(plan), write)
    assert play(plan, executor) == 0  # those that are held back are not owed
    best = max(list(plan.by_id)[:4], key=lambda run: executor.curves[run][0])
    found = statuses(plan)
    assert [found[i] for i in plan.by_id if i.startswith("05") and i != best] == ["pruned"] * 3
    assert {i for i, status in found.items() if status == "completed"} == {best, f"03{best[2:]}"}
    assert executor.trained[-EPOCHS:] == [(f"03{best[2:]}", e) for e in range(1, EPOCHS + 1)]
    assert "3 runs paused by pruning=top_k, and 3 runs of further seeds not begun" in (
        capsys.readouterr().out
    )


def test_the_median_rule_promotes_nobody(plan_of: MakePlan, write: Write) -> None:
    plan = plan_of(9, "median")
    executor = Played(curves_of(plan), write)
    assert play(plan, executor) == 0
    assert {run for run, _ in executor.trained[: 5 * EPOCHS]} == set(list(plan.by_id)[:5])
    resumed = [run for (run, _), (then, _) in pairwise(executor.trained) if run != then]
    assert len(resumed) == len(set(resumed)) == 8
    assert "pruned" in statuses(plan).values()


def test_a_run_that_another_sweep_paused_is_judged_by_the_rule_of_this_one(
    plan_of: MakePlan, write: Write
) -> None:
    plan = plan_of(7, "median")
    curves = {run: [0.1 * i] * EPOCHS for i, run in enumerate(plan.by_id)}
    bad, *others, good = plan.by_id
    for run in (bad, good):
        write(run, "pruned", curves[run][:2], PrunedInfo(sweep="other", rule="asha", epoch=2))
    for run in others:
        write(run, "completed", curves[run])
    executor = Played(curves, write)
    assert play(plan, executor) == 0
    assert executor.trained == [(good, epoch) for epoch in range(3, EPOCHS + 1)]
    assert statuses(plan)[bad] == "pruned"


def test_a_run_that_was_paused_where_the_rule_does_not_pause_goes_on(
    plan_of: MakePlan, write: Write
) -> None:
    plan = plan_of(2, "asha", grace=4)
    for run in plan.by_id:
        write(run, "pruned", [0.5], PrunedInfo(sweep="widths", rule="asha", epoch=1))
    executor = Played({run: [0.5] * EPOCHS for run in plan.by_id}, write)
    play(plan, executor)
    assert executor.trained[:3] == [(next(iter(plan.by_id)), epoch) for epoch in (2, 3, 4)]


class Drawn(dict[str, list[float]]):
    """Curves of runs that a search is still to propose."""

    def __missing__(self, run_id: str) -> list[float]:
        draw = random.Random(run_id)
        limit = draw.random()
        return [limit * epoch / EPOCHS + 0.1 * draw.random() for epoch in range(1, EPOCHS + 1)]


@pytest.mark.parametrize("rule", ["asha", "top_k"])
def test_a_search_that_was_killed_five_times_decides_as_one_that_was_not(
    lab: Any, composed_settings: Settings, write: Write, tmp_path: Path, rule: str
) -> None:
    words = {"search": {"name": "tpe", "runs": 9}, "pruning": {"name": rule, "top": 2}}
    sections = {
        key: type(getattr(composed_settings, key)).model_validate(value)
        for key, value in words.items()
    }
    lab.settings = composed_settings.model_copy(update=sections)
    plan = Plan(
        "searched",
        (),
        (),
        0,
        {},
        outputs=tmp_path,
        example=Trial(lab.settings, "tiny", (), {}),
        search=PlannedSearch(NUMBERS, lab.make_run),
    )
    undisturbed = Played(Drawn(), write)
    play(plan, undisturbed)
    proposed = [row.run_id for row in SweepFolder(plan.folder).rows()]
    shutil.rmtree(tmp_path / "runs")
    shutil.rmtree(tmp_path / "sweeps")
    trained = []
    for killed_at in (0, 2, 5, 1, 4, None):
        siblings_of.cache_clear()
        executor = Played(Drawn(), write, killed_at)
        with nullcontext() if killed_at is None else pytest.raises(KilledError):
            play(plan, executor)
        trained += executor.trained
    assert trained == undisturbed.trained
    assert [row.run_id for row in SweepFolder(plan.folder).rows()] == proposed
    assert len(proposed) == 9


def propose(
    plan: Plan, busy: Sequence[str] = (), live: Sequence[str] = (), n: int = 9
) -> list[str]:
    source = with_promotion(GridSource(plan), plan, lambda: set(live))
    states = read_states(plan.runs_folder, plan.by_id)
    return [run.run_id for run in source.propose(states, {*busy, *live}, n)]


def test_the_highest_rung_comes_first_and_there_the_best(plan_of: MakePlan, write: Write) -> None:
    plan = plan_of(14, "asha", reduction=2)  # after epochs 1, 2 and 4
    SweepFolder(plan.folder).enter(plan.entry("train"))
    runs = list(plan.by_id)
    for place, run in enumerate(runs[:12]):
        done = [0.1 + place / 100] * (2 if place > 7 else 1)
        pruned = PrunedInfo(sweep="widths", rule="asha", epoch=len(done))
        write(run, "pruned", done, pruned)
    write(runs[12], "interrupted", [])
    order = [runs[12], runs[11], runs[10], runs[7], runs[6], runs[13]]
    assert propose(plan) == order
    assert propose(plan, n=3) == order[:3]
    assert propose(plan, busy=[runs[12]], live=[runs[11]]) == [runs[10], runs[7], runs[6], runs[13]]


def test_top_k_promotes_a_run_as_soon_as_it_stays_among_the_best(
    plan_of: MakePlan, write: Write
) -> None:
    plan = plan_of(4, "top_k", top=2)
    SweepFolder(plan.folder).enter(plan.entry("train"))
    runs = list(plan.by_id)
    pruned = PrunedInfo(sweep="widths", rule="top_k", epoch=1)
    for run, accuracy in zip(runs[:3], (0.3, 0.2, 0.1), strict=True):
        write(run, "pruned", [accuracy], pruned)
    assert propose(plan, live=[runs[3]]) == [runs[0]]  # the fourth may be the best
    write(runs[3], "pruned", [0.05], pruned)
    assert propose(plan) == runs[:2]


SINGLE = "pruning=asha: compares the runs of a sweep; add --multirun, or leave it out"
SEVERAL = "pruning: takes one value at a time; one rule holds for the whole sweep"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"is_sweep": False}, SINGLE),
        ({"has_foreign_sweeper": True}, "pruning=asha: needs our own sweeper; leave out "),
        ({"confirms": Selection("a", "val_accuracy", 1, [])}, "pruning=asha: a confirmation "),
    ],
)
def test_what_does_not_go_with_pruning_is_told(
    plan_of: MakePlan, changes: dict[str, Any], sentence: str
) -> None:
    trials = [run.trial for run in plan_of(1, "asha").runs]
    grid = Grid(trials, (), is_sweep=True)
    check_pruning(grid)
    with pytest.raises(UserError, match=f"^{sentence}"):
        check_pruning(replace(grid, **changes))


def test_a_sweep_has_one_rule_and_no_rerun(plan_of: MakePlan) -> None:
    plans = [plan_of(1, "asha"), plan_of(1, "none")]
    with pytest.raises(UserError, match=f"^{SEVERAL}$"):
        check_pruning(Grid([plan.runs[0].trial for plan in plans], (), is_sweep=True))
    (trial,) = (run.trial for run in plans[0].runs)
    again = replace(trial, settings=trial.settings.model_copy(update={"rerun": True}))
    with pytest.raises(UserError, match="pruning=asha: rerun=true trains"):
        check_pruning(Grid([again], (), is_sweep=True))
    check_pruning(Grid([plans[1].runs[0].trial], (), is_sweep=False))


def test_pruning_does_not_go_with_a_search_for_cheap_runs(plan_of: MakePlan) -> None:
    (trial,) = (run.trial for run in plan_of(1, "asha").runs)
    section = trial.settings.search.model_copy(update={"objective": "accuracy_and_pflop"})
    searched = replace(trial, settings=trial.settings.model_copy(update={"search": section}))
    expected = "pruning=asha: search.objective=accuracy_and_pflop compares what whole runs cost"
    with pytest.raises(UserError, match=f"^{expected}; leave one of them out$"):
        check_pruning(Grid([searched], (), is_sweep=True))


def test_top_k_needs_to_know_how_many_runs_there_will_be(plan_of: MakePlan) -> None:
    trial = plan_of(1, "top_k").runs[0].trial
    search = Search(NUMBERS, lambda *_: trial, "-tpe")
    with pytest.raises(UserError, match=r"^pruning=top_k: needs search\.runs, because"):
        check_pruning(Grid([trial], (), is_sweep=True, search=search))
    section = trial.settings.search.model_copy(update={"runs": 9})
    known = replace(trial, settings=trial.settings.model_copy(update={"search": section}))
    check_pruning(Grid([known], (), is_sweep=True, search=search))
