import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scipy import stats

from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepRow
from cifar_exp.sweeps.monitor.ranking import (
    Ranked,
    ranked,
    ranking_lines,
    result_lines,
    short_values,
    with_intervals,
)
from cifar_exp.sweeps.monitor.snapshot import Snapshot

TABLE = Path("outputs/sweeps/mine/runs.csv")
Finals = Sequence[float | str | None]


@pytest.fixture
def snapshot_of(make_record: Callable[..., RunRecord]) -> Callable[[dict[str, Finals]], Snapshot]:
    """A sweep over widths and seeds: by width, each seed's val accuracy or its status."""

    def make(values: dict[str, Finals]) -> Snapshot:
        rows, states = [], {}
        for width, finals in values.items():
            for seed, final in enumerate(finals):
                run_id = f"w{width}s{seed}"
                rows.append(SweepRow(run_id, "", "", {"model.width": width, "seed": str(seed)}))
                states[run_id] = state_of(run_id, final)
        return Snapshot("mine", rows, states, None)

    def state_of(run_id: str, final: float | str | None) -> RunState:
        if final == "pending":
            return RunState(run_id)
        record = (
            make_record(final, error="boom")
            if isinstance(final, str)
            else make_record(final=final, test=0.5)
        )
        return RunState(run_id, Path(f"outputs/runs/tiny-{run_id}"), record)

    return make


def test_configurations_are_ranked_by_their_means_not_by_their_luckiest_run(
    snapshot_of: Callable[..., Snapshot],
) -> None:
    snapshot = snapshot_of({"8": [0.1, 0.9], "16": [0.6, 0.7], "32": ["pending", "pending"]})
    assert [(each.values, each.n, each.mean) for each in ranked(snapshot)] == [
        ({"model.width": "16"}, 2, pytest.approx(0.65)),
        ({"model.width": "8"}, 2, 0.5),
    ]


def test_only_completed_runs_count_and_those_that_failed_are_counted(
    snapshot_of: Callable[..., Snapshot],
) -> None:
    (best,) = ranked(snapshot_of({"8": [0.25, "failed", "diverged", "interrupted", "pending"]}))
    assert (best.n, best.mean, best.failed, best.test) == (1, 0.25, 2, 0.5)


def test_intervals_pool_the_scatter_of_all_configurations(
    snapshot_of: Callable[..., Snapshot],
) -> None:
    first, second, third = [0.50, 0.52, 0.57], [0.40, 0.44], [0.3]
    found = with_intervals(ranked(snapshot_of({"8": first, "16": second, "32": third})))
    variances = [stats.describe(values).variance for values in (first, second)]
    sd = math.sqrt((2 * variances[0] + 1 * variances[1]) / 3)
    for each, n, mean in zip(found, (3, 2, 1), (0.53, 0.42, 0.3), strict=True):
        expected = stats.t.interval(0.95, 3, loc=mean, scale=sd / math.sqrt(n))
        assert (each.low, each.high) == pytest.approx(expected)


def test_an_interval_of_an_accuracy_stays_between_0_and_1(
    snapshot_of: Callable[..., Snapshot],
) -> None:
    high, low = with_intervals(ranked(snapshot_of({"8": [0.9, 1.0], "16": [0.0, 0.1]})))
    assert (high.high, low.low) == (1.0, 0.0)
    assert 0 < high.low < 1


def test_with_one_seed_there_are_no_intervals(snapshot_of: Callable[..., Snapshot]) -> None:
    found = with_intervals(ranked(snapshot_of({"8": [0.5], "16": [0.6]})))
    assert {(each.low, each.high) for each in found} == {(None, None)}


def test_the_end_of_a_sweep_ranks_configurations_and_then_runs(
    snapshot_of: Callable[..., Snapshot],
) -> None:
    snapshot = snapshot_of({"8": [0.5, 0.5, 0.5], "16": [0.6, 0.7, "failed"]})
    half = [
        100 * stats.t.ppf(0.975, 3) * math.sqrt(0.005 / 3 / n) for n in (2, 3)
    ]  # the two runs of width 16 alone scatter
    assert list(result_lines(snapshot, TABLE)) == [
        "rank  width  n      val  95 % interval      test  failed",
        f"   1     16  2  65.00 %  [{65 - half[0]:.2f}, {65 + half[0]:.2f}]  50.00 %       1",
        f"   2      8  3  50.00 %  [{50 - half[1]:.2f}, {50 + half[1]:.2f}]  50.00 %       0",
        "rank  run                  val  folder",
        "   1  width=16 seed=1  70.00 %  tiny-w16s1",
        "   2  width=16 seed=0  60.00 %  tiny-w16s0",
        "   3  width=8 seed=0   50.00 %  tiny-w8s0",
        "   3  width=8 seed=1   50.00 %  tiny-w8s1",
        "   3  width=8 seed=2   50.00 %  tiny-w8s2",
    ]


def test_equal_means_share_a_rank(snapshot_of: Callable[..., Snapshot]) -> None:
    snapshot = snapshot_of({"2": [0.0], "4": [0.1], "8": [0.0], "16": [0.0]})
    lines = list(ranking_lines(ranked(snapshot), TABLE))
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "2", "2"]


def test_a_ranking_is_not_longer_than_a_screen(snapshot_of: Callable[..., Snapshot]) -> None:
    snapshot = snapshot_of({str(width): [width / 100, width / 100] for width in range(1, 31)})
    lines = list(result_lines(snapshot, TABLE))
    assert lines[21] == f"      and 10 more in {TABLE}"
    assert lines[-1] == f"      and 55 more in {TABLE}"
    assert len(lines) == 22 + 7


def test_without_validation_images_the_ranking_warns(snapshot_of: Callable[..., Snapshot]) -> None:
    first, *_ = result_lines(snapshot_of({"8": [None, None]}), TABLE)
    assert " ".join(first.split()) == "rank width n test (not for choosing) 95 % interval"


def test_before_the_first_result_there_is_no_ranking(snapshot_of: Callable[..., Snapshot]) -> None:
    assert list(result_lines(snapshot_of({"8": ["pending", "failed"]}), TABLE)) == []


@pytest.mark.parametrize(
    ("values", "n", "expected"),
    [
        ({"model.width": "16"}, 3, "50.00 % (width=16, mean of 3 seeds)"),
        ({"model.width": "16"}, 1, "50.00 % (width=16, one seed)"),
        ({}, 3, "50.00 % (mean of 3 seeds)"),
    ],
)
def test_a_result_says_of_what_it_is_the_mean(
    values: dict[str, str], n: int, expected: str
) -> None:
    assert Ranked(values, n, 0.5).result == expected


def test_values_are_shown_with_the_last_part_of_their_keys_unless_two_share_it() -> None:
    assert short_values({"model.width": "8", "optimizer": "sgd"}) == "width=8 optimizer=sgd"
    assert short_values({"a.kind": "x", "b.kind": "y"}) == "a.kind=x b.kind=y"
    assert short_values({}) == ""
