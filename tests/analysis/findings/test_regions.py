"""Sentences on good values, and on levels at their own best."""

import re
from itertools import product
from typing import Any

import numpy as np
import pytest

from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.findings.regions import own_best_findings, region_findings

WORSE = "other values are significantly worse, by more than the noise of a run"


def search(outputs: Any, curve: Any, runs: int = 80) -> None:
    random = np.random.default_rng(0)
    for i in range(runs):
        exponent, decay = float(random.uniform(-3, 0)), float(random.uniform(0, 1))
        value = float(curve(exponent, decay) + random.normal(0, 0.01))
        settings = {"optimizer__lr": 10**exponent, "optimizer__weight_decay": decay}
        outputs.run(run_id=f"{i:010d}", val=value, **settings)


def test_a_random_search_says_where_the_rate_is_good(outputs: Any) -> None:
    search(outputs, lambda exponent, _: 0.6 - 0.05 * (exponent + 1.2) ** 2)
    (finding,) = region_findings(outputs.statistics())
    match = re.fullmatch(
        rf"Lr from (0\.0\d+) to (0\.\d+) does best; {WORSE}\.",
        finding.text,
    )
    assert match is not None
    assert float(match[1]) < 10**-1.2 < float(match[2])
    assert (finding.claim, finding.setting) == ("region", "optimizer.lr")


def test_with_a_size_that_matters_the_sentence_names_it(outputs: Any) -> None:
    search(outputs, lambda exponent, _: 0.6 - 0.05 * (exponent + 1.2) ** 2)
    (finding,) = region_findings(outputs.statistics(worth=2))
    assert finding.text.endswith("; other values are significantly worse, by more than 2.00 pp.")


def test_at_the_end_of_the_values_it_says_that_further_ones_were_not_tried(outputs: Any) -> None:
    search(outputs, lambda exponent, _: 0.6 + 0.05 * exponent)
    (finding,) = region_findings(outputs.statistics())
    assert re.fullmatch(
        rf"Lr of 0\.\d+ or more does best; {WORSE}\. Higher values were not tried\.",
        finding.text,
    )


def test_where_no_value_is_worse_nothing_is_said(outputs: Any) -> None:
    search(outputs, lambda *_: 0.5)
    assert list(region_findings(outputs.statistics())) == []


@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.0, "not significant; anything from "), (0.05, "better.")]
)
def test_each_optimizer_is_told_at_its_own_best_rate(
    outputs: Any, gain: float, verdict: str
) -> None:
    random = np.random.default_rng(0)
    best = {"sgd": 0.1, "adamw": 0.001}
    for optimizer, lr, seed in product(best, (0.001, 0.01, 0.1), range(3)):
        value = 0.6 + gain * (optimizer == "sgd") - 0.05 * abs(np.log10(lr / best[optimizer]))
        settings = {"optimizer__name": optimizer, "optimizer__lr": lr}
        outputs.run(seed=seed, val=float(value + random.normal(0, 0.002)), **settings)
    statistics = outputs.statistics()
    (finding,) = own_best_findings(statistics)
    assert finding.text.startswith("Each optimizer at its own best lr: ")
    means = statistics.summary.set_index("configuration")["mean"]
    sgd, adamw = means["optimizer=sgd lr=0.1"], means["optimizer=adamw lr=0.001"]
    assert f"sgd {sgd * 100:.2f} % at 0.1" in finding.text
    assert f"adamw {adamw * 100:.2f} % at 0.001" in finding.text
    assert verdict in finding.text
    assert finding.difference == pytest.approx(abs(sgd - adamw))


def test_no_average_over_a_crossed_setting_is_told(outputs: Any) -> None:
    random = np.random.default_rng(0)
    best = {"sgd": 0.1, "adamw": 0.001}
    for optimizer, lr, width, seed in product(best, (0.001, 0.01, 0.1), (8, 16), range(2)):
        value = 0.5 + width / 100 - 0.05 * abs(np.log10(lr / best[optimizer]))
        settings = {"optimizer__name": optimizer, "optimizer__lr": lr, "model__width": width}
        outputs.run(seed=seed, val=float(value + random.normal(0, 0.002)), **settings)
    told = findings(outputs.statistics())
    end = r"Width is worth (7\.9|8\.\d) points\. The best lr depends on optimizer\."
    assert re.search(f"{end}$", told[0].text)
    assert {f.setting for f in told if f.claim == "effect"} == {"model.width"}
    (importance,) = [f.text for f in told if f.claim == "importance"]
    assert "width" in importance
    assert "lr" not in importance
    assert "optimizer" not in importance
