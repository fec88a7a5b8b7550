"""The findings: every case word for word, claiming no more than the statistics show."""

from typing import Any

import pytest

from cifar_exp.analysis.page.findings import findings, needed_text

pytestmark = pytest.mark.slow  # computes the statistics of whole reports


def runs(outputs: Any, values: dict[int, list[float]], **options: Any) -> Any:
    for width, accuracies in values.items():
        for seed, accuracy in enumerate(accuracies):
            outputs.run(seed=seed, val=accuracy, test=accuracy - 0.02, model__width=width)
    return outputs.statistics(**options)


def test_a_clear_difference_is_significant_and_says_with_how_many_seeds(outputs: Any) -> None:
    statistics = runs(outputs, {8: [0.30, 0.31, 0.32], 16: [0.40, 0.412, 0.42]})
    assert findings(statistics) == [
        "width=16 is the best of 2 configurations: validation accuracy 41.07 %, 95 % "
        "[38.57, 43.57] from 3 seeds; test accuracy 39.07 %.",
        "width 16 against 8: +10.07 pp, 95 % [9.78, 10.35], significant with 3 seeds (p < 0.001).",
    ]


def test_noise_is_not_significant_and_says_how_many_seeds_it_would_need(outputs: Any) -> None:
    statistics = runs(outputs, {8: [0.30, 0.31, 0.32], 16: [0.32, 0.30, 0.32]})
    first, second = findings(statistics)
    assert first.startswith("width=16 is the best of 2 configurations")
    # differences of 2, -1 and 0 points: mean 1/3, SD 1.5275, t(2) 4.303
    interval = "+0.33 pp, 95 % [-3.46, 4.13], not significant with 3 seeds"
    assert second == f"width 16 against 8: {interval}; about 167 would be needed."


def test_if_all_others_differ_significantly_it_says_so(outputs: Any) -> None:
    statistics = runs(
        outputs, {8: [0.1, 0.11, 0.12], 16: [0.2, 0.212, 0.22], 32: [0.3, 0.31, 0.325]}
    )
    assert findings(statistics)[1] == "All others differ significantly from it."


def test_with_one_seed_each_nothing_is_significant(outputs: Any) -> None:
    assert findings(runs(outputs, {8: [0.3], 16: [0.9]})) == [
        "width=16 is the best of 2 configurations: validation accuracy 90.00 %, one seed, so no "
        "interval; test accuracy 88.00 %.",
        "With one seed each, no difference between configurations is certain.",
        "width 16 against 8: +60.00 pp, from one seed, so not significant.",
    ]


def test_of_several_that_do_not_differ_significantly_the_closest_is_named(outputs: Any) -> None:
    statistics = runs(outputs, {8: [0.3, 0.32], 16: [0.33, 0.31], 32: [0.1, 0.4], 64: [0.9, 0.1]})
    start = "3 of 3 others do not differ significantly from it; the closest is width=16: -18"
    assert findings(statistics)[1].startswith(start)


def test_the_best_is_compared_with_a_baseline(outputs: Any) -> None:
    values = {8: [0.30, 0.31, 0.32], 16: [0.40, 0.412, 0.42]}
    found = findings(runs(outputs, values, baseline="width=8"))
    assert found[1] == (
        "Against the baseline, width=8: +10.07 pp, 95 % [9.78, 10.35], significant with 3 seeds "
        "(p < 0.001)."
    )
    found = findings(outputs.statistics(baseline="width=16"))
    assert found[1] == "It is the baseline; 1 of 1 others differ significantly."


def test_a_grid_has_ranges_and_an_interaction(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.4 + width / 100 - 2 * dropout * (width == 8))
    found = findings(outputs.statistics())
    assert len(found) == 6
    assert found[2].startswith("Over these levels, width moves the validation accuracy by ")
    assert found[3].startswith("width 32 against 8, averaged over dropout: +")
    assert found[5].startswith("The effect of width ")
    assert " against 8 depends on dropout: at 0.2 it differs by +" in found[5]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("test_accuracy", "test accuracy 48.00 % (on test: not for choosing), one seed, so"),
        ("val_loss", "validation loss 1.500 nats, one seed, so no interval; test accuracy 48.00 %"),
    ],
)
def test_other_metrics_have_their_own_units(outputs: Any, metric: str, expected: str) -> None:
    (sentence,) = findings(runs(outputs, {8: [0.5]}, metric=metric))
    assert sentence.startswith(f"The only configuration: {expected}")


def test_without_a_completed_run_that_is_the_only_finding(outputs: Any) -> None:
    outputs.run(status="diverged", error="nan")
    assert findings(outputs.statistics()) == [
        "No completed run has a value of this metric, so there is nothing to compare."
    ]


@pytest.mark.parametrize(
    ("needed", "expected"),
    [(float("inf"), "more than 1,000 would be needed"), (12.0, "about 12 would be needed")],
)
def test_the_seeds_needed_are_rounded_or_bounded(needed: float, expected: str) -> None:
    assert needed_text(needed) == expected


def test_equal_differences_have_no_interval_and_are_not_significant(outputs: Any) -> None:
    statistics = runs(outputs, {8: [0.30, 0.32], 16: [0.31, 0.33]})
    assert findings(statistics)[1] == (
        "width 16 against 8: +1.00 pp, exactly the same with each of 2 seeds, so there is "
        "no interval."
    )
    assert not statistics.comparisons["is_resolved"].any()
