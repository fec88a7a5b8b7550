"""The generated sentences: every case word for word, and no more than the statistics say."""

from typing import Any

import pytest

from cifar_exp.analysis.page.findings import answer, needed_text

pytestmark = pytest.mark.slow  # computes the statistics of whole reports


def runs(outputs: Any, values: dict[int, list[float]], **options: Any) -> Any:
    for width, accuracies in values.items():
        for seed, accuracy in enumerate(accuracies):
            outputs.run(seed=seed, val=accuracy, test=accuracy - 0.02, model__width=width)
    return outputs.study(**options)


def test_a_clear_difference_is_resolved_and_says_with_what(outputs: Any) -> None:
    study = runs(outputs, {8: [0.30, 0.31, 0.32], 16: [0.40, 0.412, 0.42]})
    assert answer(study) == [
        "width=16 did best of 2 configurations: validation accuracy 41.07 %, 95 % [38.57, 43.57] "
        "from 3 seeds; test accuracy 39.07 %.",
        "width 16 against 8: +10.07 pp, 95 % [9.78, 10.35], resolved with 3 seeds (p < 0.001).",
    ]


def test_noise_is_not_resolved_and_says_what_it_would_take(outputs: Any) -> None:
    study = runs(outputs, {8: [0.30, 0.31, 0.32], 16: [0.32, 0.30, 0.32]})
    first, second = answer(study)
    assert first.startswith("width=16 did best of 2 configurations")
    # differences of 2, -1 and 0 points: mean 1/3, SD 1.5275, t(2) 4.303
    interval = "+0.33 pp, 95 % [-3.46, 4.13], not resolved with 3 seeds; about 167 would"
    assert second == f"width 16 against 8: {interval}."


def test_where_all_others_are_resolved_that_is_said(outputs: Any) -> None:
    study = runs(outputs, {8: [0.1, 0.11, 0.12], 16: [0.2, 0.212, 0.22], 32: [0.3, 0.31, 0.325]})
    assert answer(study)[1] == "All others are told apart from it."


def test_one_seed_each_resolves_nothing(outputs: Any) -> None:
    assert answer(runs(outputs, {8: [0.3], 16: [0.9]})) == [
        "width=16 did best of 2 configurations: validation accuracy 90.00 %, one seed, so no "
        "interval; test accuracy 88.00 %.",
        "One seed each tells no configuration from another for certain.",
        "width 16 against 8: +60.00 pp, from one seed, so not resolved.",
    ]


def test_of_several_that_are_not_told_apart_the_closest_is_named(outputs: Any) -> None:
    study = runs(outputs, {8: [0.3, 0.32], 16: [0.33, 0.31], 32: [0.1, 0.4], 64: [0.9, 0.1]})
    told = answer(study)[1]
    assert told.startswith("3 of 3 others are not told apart from it; the closest is width=16: -18")


def test_a_baseline_is_what_the_best_is_held_against(outputs: Any) -> None:
    values = {8: [0.30, 0.31, 0.32], 16: [0.40, 0.412, 0.42]}
    told = answer(runs(outputs, values, baseline="width=8"))
    assert told[1] == (
        "Against the baseline, width=8: +10.07 pp, 95 % [9.78, 10.35], resolved with 3 seeds "
        "(p < 0.001)."
    )
    told = answer(outputs.study(baseline="width=16"))
    assert told[1] == "It is the baseline; 1 of 1 others are told apart from it."


def test_shares_and_an_interaction_of_a_grid_are_told(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.4 + width / 100 - 2 * dropout * (width == 8))
    told = answer(outputs.study())
    assert len(told) == 6
    assert told[2].startswith("Of the differences between configurations, width explains ")
    assert "; chance alone would give 0." in told[2]
    assert told[3].startswith("width 32 against 8, on average over dropout: +")
    assert told[5].startswith("The effect of width ")
    assert " against 8 depends on dropout: at 0.2 it differs by +" in told[5]


def test_a_forest_over_noise_is_told_with_its_warning(outputs: Any) -> None:
    for i in range(30):
        outputs.run(run_id=f"{i:010d}", val=0.5 + ((i * 7919) % 13) / 500, x__a=i * 1.1, x__b=i % 7)
    told = answer(outputs.study())
    assert any(sentence.startswith("Beware: the forest predicts") for sentence in told)


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("test_accuracy", "test accuracy 48.00 % (read on test: not for choosing), one seed, so"),
        ("val_loss", "validation loss 1.500 nats, one seed, so no interval; test accuracy 48.00 %"),
    ],
)
def test_other_metrics_are_told_in_their_units(outputs: Any, metric: str, told: str) -> None:
    (sentence,) = answer(runs(outputs, {8: [0.5]}, metric=metric))
    assert sentence.startswith(f"The only configuration: {told}")


def test_without_a_completed_run_that_is_all_that_is_said(outputs: Any) -> None:
    outputs.run(status="diverged", error="nan")
    assert answer(outputs.study()) == [
        "No run is completed with a figure to judge it by: there is nothing to compare."
    ]


@pytest.mark.parametrize(
    ("needed", "told"),
    [(float("inf"), "; more than 1,000 would be needed"), (12.0, "; about 12 would")],
)
def test_the_seeds_needed_are_told(needed: float, told: str) -> None:
    assert needed_text(needed) == told


def test_equal_differences_have_no_interval_and_resolve_nothing(outputs: Any) -> None:
    study = runs(outputs, {8: [0.30, 0.32], 16: [0.31, 0.33]})
    assert answer(study)[1] == (
        "width 16 against 8: +1.00 pp, the same to the last digit with 2 seeds, so without an "
        "interval."
    )
    assert not study.comparisons["is_resolved"].any()


def test_noise_has_no_share_that_is_told_from_chance(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.5, noise=0.01)  # noqa: ARG005
    assert "No setting's share of the differences between configurations is told from chance." in (
        answer(outputs.study())
    )


def test_an_effect_of_three_settings_together_is_no_setting_s_own(outputs: Any) -> None:
    for seed in range(2):
        for a in (-1, 1):
            for b in (-1, 1):
                for c in (-1, 1):
                    value = 0.5 + 0.1 * a * b * c + 0.001 * seed * a
                    outputs.run(seed=seed, val=value, x__a=a, x__b=b, x__c=c)
    assert any("told from chance" in sentence for sentence in answer(outputs.study()))
