"""Failed, diverged and collapsed runs are told, each in a sentence."""

from typing import Any

import pytest

from cifar_exp.analysis.findings.completion import completion_findings, completion_note


def texts(outputs: Any, **options: Any) -> list[str]:
    return [finding.text for finding in completion_findings(outputs.statistics(**options))]


def lose(outputs: Any, lr: float, seeds: range, status: str = "diverged") -> None:
    for seed in seeds:
        outputs.run(seed=seed, status=status, error="x", optimizer__lr=lr)


def complete(outputs: Any, lr: float, seeds: range, val: float = 0.5) -> None:
    for seed in seeds:
        outputs.run(seed=seed, val=val + seed / 1000, optimizer__lr=lr)


def test_a_level_that_always_diverges_is_named(outputs: Any) -> None:
    complete(outputs, 0.1, range(3))
    complete(outputs, 1.0, range(3))
    lose(outputs, 10.0, range(9))
    assert texts(outputs) == ["All 9 runs with lr=10 diverged."]


def test_a_level_that_fails_in_both_ways_says_so(outputs: Any) -> None:
    complete(outputs, 0.1, range(3))
    lose(outputs, 10.0, range(2))
    lose(outputs, 10.0, range(2, 3), "failed")
    assert texts(outputs) == ["All 3 runs with lr=10 failed or diverged."]


def test_the_best_carries_that_half_of_its_runs_diverged(outputs: Any) -> None:
    complete(outputs, 0.1, range(6))
    complete(outputs, 1.0, range(3), val=0.7)
    lose(outputs, 1.0, range(3, 6))
    statistics = outputs.statistics()
    assert statistics.best == "lr=1"
    assert completion_note(statistics, "lr=1") == "3 of its 6 runs diverged"
    assert completion_note(statistics, "lr=0.1") == ""
    assert texts(outputs) == ["3 of 6 runs with lr=1 diverged, and none with any other lr."]


@pytest.mark.parametrize(
    ("failed", "diverged", "expected"),
    [
        (1, 0, "1 of its 3 runs failed"),
        (1, 2, "1 of its 5 runs failed and 2 diverged"),
    ],
)
def test_the_note_tells_failed_from_diverged(
    outputs: Any, failed: int, diverged: int, expected: str
) -> None:
    complete(outputs, 0.1, range(2))
    lose(outputs, 0.1, range(2, 2 + failed), "failed")
    lose(outputs, 0.1, range(5, 5 + diverged))
    assert completion_note(outputs.statistics(), "the only configuration") == expected


def test_failures_here_and_there_are_not_put_down_to_a_level(outputs: Any) -> None:
    for lr in (0.1, 1.0):
        complete(outputs, lr, range(3))
        lose(outputs, lr, range(3, 4), "failed")
    assert texts(outputs) == []


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (16, "All 4 runs with lr of 655.4 or more diverged."),
        (18, "Both runs with lr of 2621 or more diverged."),
    ],
)
def test_of_many_values_the_end_that_diverges_is_told(
    outputs: Any, first: int, expected: str
) -> None:
    for i in range(20):
        status = "completed" if i < first else "diverged"
        outputs.run(run_id=f"{i:010d}", status=status, optimizer__lr=0.01 * 2**i)
    assert texts(outputs) == [expected]


def test_a_collapsed_run_is_told_with_the_leader_without_it(outputs: Any) -> None:
    for seed in range(5):
        for width in (16, 32):
            value = 0.71 + width / 3200 + 0.001 * ((seed * 3) % 5)
            collapsed = width == 32 and seed == 3
            outputs.run(seed=seed, val=0.31 if collapsed else value, model__width=width)
    assert outputs.statistics().best == "width=16"
    assert texts(outputs) == [
        "width=32 with seed 3 ended at 31.00 % (its other seeds at 72.15 %); without that run, "
        "width=32 would lead."
    ]


def test_a_collapsed_run_of_the_worst_does_not_change_the_best(outputs: Any) -> None:
    for seed in range(5):
        for width in (16, 32):
            value = 0.71 + width / 3200 + 0.001 * ((seed * 3) % 5)
            collapsed = width == 16 and seed == 3
            outputs.run(seed=seed, val=0.31 if collapsed else value, model__width=width)
    (text,) = texts(outputs)
    assert text.endswith("; without that run, the best stays the same.")


def test_a_sweep_in_which_all_went_well_has_no_sentence(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: width / 100 - dropout)
    assert texts(outputs) == []


def test_where_nothing_completed_that_is_all_there_is_to_say(outputs: Any) -> None:
    lose(outputs, 0.1, range(3))
    lose(outputs, 1.0, range(3))
    assert texts(outputs) == ["6 runs diverged, and none completed."]


def test_where_nothing_has_ended_nothing_is_said(outputs: Any) -> None:
    outputs.run(status="interrupted")
    assert texts(outputs) == []
