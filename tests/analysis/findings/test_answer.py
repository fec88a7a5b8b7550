"""The answer: sentences, cautions and JSON from made-up studies."""

import json
from typing import Any

import pytest

from cifar_exp.analysis.findings.answer import answer_json
from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.collect import NOTHING, answer_lines, findings


def texts(statistics: Any) -> list[str]:
    return [finding.text for finding in findings(statistics)]


def claims(statistics: Any, claim: str) -> list[str]:
    return [finding.text for finding in findings(statistics) if finding.claim == claim]


def additive(width: int, dropout: float) -> float:
    return 0.3 + width / 100 - dropout


def test_the_headline_names_the_best_and_what_each_setting_is_worth(outputs: Any) -> None:
    outputs.grid(additive)
    headline = texts(outputs.statistics())[0]
    assert headline.startswith("Width 32, dropout 0: 6")
    assert "Width is worth 24." in headline
    assert "and dropout costs 20." in headline or "and dropout costs 19." in headline


def test_the_headline_says_where_a_setting_costs_less(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout * (40 - width) / 20)
    assert texts(outputs.statistics())[0].endswith("Dropout costs less at width 32 than at 8.")


def test_the_headline_shortens_drawn_numbers(outputs: Any) -> None:
    for i in range(20):
        outputs.run(val=0.5 + i / 1000, optimizer__lr=0.0123456789 * (i + 1))
    assert texts(outputs.statistics())[0].startswith("Lr 0.247: 51.90 %.")


def test_without_a_significant_effect_the_headline_says_so(outputs: Any) -> None:
    outputs.grid(lambda _width, _dropout: 0.5, noise=0.01)
    statistics = outputs.statistics()
    assert not statistics.effects["is_significant"].any()
    assert "No significant effect of " in texts(statistics)[0]
    assert claims(statistics, "candidates") == [
        "Any of the 9 may be the best: their differences are within the noise."
    ]


def test_of_two_configurations_either_may_be_the_best(outputs: Any) -> None:
    for width, seed, value in ((16, 0, 0.5), (16, 1, 0.52), (32, 0, 0.53), (32, 1, 0.5)):
        outputs.run(seed=seed, val=value, model__width=width)
    assert claims(outputs.statistics(), "candidates") == [
        "Either may be the best: their difference is within the noise."
    ]


def test_every_sentence_on_an_effect_has_the_numbers_of_its_finding(outputs: Any) -> None:
    outputs.grid(additive)
    effects = [f for f in findings(outputs.statistics()) if f.claim == "effect"]
    assert [f.setting for f in effects] == ["model.width", "model.dropout"]
    for finding in effects:
        shown = [finding.difference, finding.low, finding.high]
        assert f"{finding.difference * 100:+.2f} pp" in finding.text
        assert f"[{shown[1] * 100:.2f}, {shown[2] * 100:.2f}]" in finding.text
    assert [f.verdict for f in effects] == ["better", "worse"]


@pytest.mark.parametrize(
    ("worth", "words"),
    [
        (1, "better by at least 1 point."),
        (25, "better, but by less than 25 points."),
        (10, "significantly better, perhaps by less than 10 points."),
    ],
)
def test_a_size_that_matters_sharpens_the_verdict(outputs: Any, worth: float, words: str) -> None:
    for seed, noise in enumerate((0.0, 0.03, -0.02)):
        outputs.run(seed=seed, val=0.3, model__width=8)
        outputs.run(seed=seed, val=0.41 + noise, model__width=16)
    (text,) = claims(outputs.statistics(worth=worth), "effect")
    assert text.endswith(words)


def test_two_equal_settings_are_equivalent_up_to_the_size_that_matters(outputs: Any) -> None:
    for seed in range(6):
        outputs.run(seed=seed, val=0.5 + seed % 3 / 1000, model__width=8)
        outputs.run(seed=seed, val=0.5 + (seed + 1) % 3 / 1000, model__width=16)
    (text,) = claims(outputs.statistics(worth=0.5), "effect")
    assert text.endswith("no difference of 0.5 points or more.")
    (text,) = claims(outputs.statistics(), "effect")
    assert "not significant; anything from -0." in text


def test_more_seeds_are_suggested_from_the_scatter_and_not_from_the_difference(
    outputs: Any,
) -> None:
    outputs.grid(lambda width, _dropout: 0.5 + width / 10_000, noise=0.01)
    first = claims(outputs.statistics(), "resolution")
    shifted = outputs.path.parent / "shifted"
    other = type(outputs)(shifted)
    other.grid(lambda width, _dropout: 0.5 + width / 5_000, noise=0.01)
    assert first
    assert first == claims(other.statistics(), "resolution")
    (with_worth,) = claims(outputs.statistics(worth=0.5), "resolution")
    assert "one of 0.5 points would take " in with_worth


def test_against_a_baseline_the_best_is_compared_with_it(outputs: Any) -> None:
    outputs.grid(additive)
    statistics = outputs.statistics(baseline="width=16 dropout=0")
    first = claims(statistics, "candidates")[0]
    assert first.startswith("Against the baseline, width=16 dropout=0: +1")
    assert first.endswith("significantly better.")


def test_one_seed_each_leaves_the_best_open_and_warns_of_interactions(outputs: Any) -> None:
    outputs.grid(additive, seeds=1)
    statistics = outputs.statistics()
    assert any("With one seed each, the intervals of effects come from the residuals" in text
               for text in cautions(statistics))  # fmt: skip


def test_without_completed_runs_there_is_nothing_to_compare(outputs: Any) -> None:
    outputs.run(status="failed", val=None, error="boom")
    statistics = outputs.statistics()
    assert texts(statistics) == [NOTHING, "1 run failed, and none completed."]
    assert json.loads(answer_json([statistics]))["groups"][0]["best"] is None


def test_json_has_the_sentences_of_the_terminal_and_no_nan(outputs: Any) -> None:
    outputs.grid(additive, seeds=1)
    statistics = outputs.statistics()
    (group,) = json.loads(answer_json([statistics]))["groups"]
    lines = [f"answer   {finding['text']}" for finding in group["findings"]]
    lines += [f"caution  {text}" for text in group["cautions"]]
    assert lines == list(answer_lines([statistics]))
    assert (group["runs"], group["best"]) == (9, statistics.best)
