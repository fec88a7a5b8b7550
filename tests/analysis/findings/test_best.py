"""What is said of the best configuration claims no more than the runs show."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from cifar_exp.analysis.findings.collect import findings


def claims(statistics: Any, claim: str) -> list[str]:
    return [finding.text for finding in findings(statistics) if finding.claim == claim]


def test_with_one_seed_each_the_others_are_worse_only_if_settings_do_not_interact(
    outputs: Any,
) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout, seeds=1)
    text = "All others are significantly worse, if the settings do not interact."
    assert claims(outputs.statistics(), "candidates") == [text]


def test_of_two_that_differ_barely_the_other_is_unlikely_to_be_the_best(outputs: Any) -> None:
    """Hsu's one-sided comparison finds it where the two-sided difference is not significant."""
    for seed, shift in enumerate((-0.004, 0.0, 0.004)):
        outputs.run(seed=seed, val=0.5, model__width=8)
        outputs.run(seed=seed, val=0.5 + 0.008 + shift, model__width=16)
    statistics = outputs.statistics()
    assert statistics.candidates == ["width=16"]
    assert not statistics.comparisons["is_significant"].any()
    text = "The other is unlikely to be the best, though it does not differ significantly."
    assert claims(statistics, "candidates") == [text]


def test_an_effect_names_all_that_it_is_averaged_over(outputs: Any) -> None:
    random = np.random.default_rng(0)
    for a, b, c, seed in product((0, 1), (0, 1), (0, 1), range(2)):
        value = float(0.5 + 0.1 * a + random.normal(0, 0.002))
        outputs.run(seed=seed, val=value, model__a=a, model__b=b, model__c=c)
    text = claims(outputs.statistics(), "effect")[0]
    assert text.startswith("A 1 against 0, averaged over b and c: ")


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_without_an_interval_nothing_is_said_of_what_more_seeds_would_find(
    outputs: Any, shift: float
) -> None:
    """The configurations differ by the same in each seed, so that differences have no scatter."""
    for seed, width in product(range(3), (8, 16)):
        outputs.run(seed=seed, val=0.4 + 0.05 * seed + shift * width / 16, model__width=width)
    statistics = outputs.statistics()
    assert statistics.comparisons["low"].isna().all()
    assert claims(statistics, "resolution") == []


@pytest.mark.parametrize(("widths", "which"), [((8, 16), "Both"), ((8, 16, 32), "All 3")])
def test_where_all_runs_are_equal_none_is_called_the_best_alone(
    outputs: Any, widths: tuple[int, ...], which: str
) -> None:
    for seed, width in product(range(3), widths):
        outputs.run(seed=seed, val=0.1 + 0.2, model__width=width)
    assert claims(outputs.statistics(), "candidates") == [f"{which} have the same mean."]
