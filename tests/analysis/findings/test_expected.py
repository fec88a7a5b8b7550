"""The best of a one-seed search is told without its luck."""

import re
from typing import Any

import numpy as np

from cifar_exp.analysis.findings.best import best_findings


def honest(outputs: Any, metric: str) -> list[str]:
    random = np.random.default_rng(0)
    for i in range(60):
        x, y = float(random.uniform(0, 1)), float(random.uniform(0, 1))
        value = 0.5 + 0.1 * x + float(random.normal(0, 0.02))
        outputs.run(run_id=f"{i:010d}", val=value, optimizer__lr=x, optimizer__weight_decay=y)
    found = best_findings(outputs.statistics(metric=metric))
    return [finding.text for finding in found if finding.claim == "honest_best"]


def test_a_one_seed_search_says_how_far_its_best_is_flattered(outputs: Any) -> None:
    (text,) = honest(outputs, "val_accuracy")
    match = re.fullmatch(
        r"Choosing the best of 60 single runs flatters it: a Gaussian process fitted to "
        r"60 configurations predicts (\d\d\.\d\d) % \(\d\.\d points lower\)\.",
        text,
    )
    assert match is not None
    assert 57 < float(match[1]) < 61.5


def test_a_loss_is_expected_to_be_higher(outputs: Any) -> None:
    (text,) = honest(outputs, "val_loss")
    assert text.endswith(" higher).")
