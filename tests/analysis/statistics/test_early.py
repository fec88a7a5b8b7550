"""Importance at an epoch that all runs reached does not depend on which of them were paused."""

from typing import Any

import numpy as np
import pytest

from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

RUNS = 30


def search(outputs: Any, *, is_pruned: bool) -> GroupStatistics:
    """Drawn rates and widths; the worse two thirds by the rate were paused after the first epoch.

    Curves rise evenly in `Outputs.run`: the value after epoch 1 of 3 is a third of the last one.
    """
    random = np.random.default_rng(4)
    for i in range(RUNS):
        lr, width = float(f"{10 ** random.uniform(-3, 0):.4g}"), int(random.integers(8, 49))
        val = 0.6 - 0.1 * (np.log10(lr) + 1.5) ** 2 + 0.002 * width
        is_paused = is_pruned and abs(np.log10(lr) + 1.5) > 0.5
        val, how = (val / 3, {"status": "pruned", "done": 1}) if is_paused else (val, {})
        folder = outputs.run(
            run_id=f"{i:010d}", val=val, optimizer__lr=lr, model__width=width, **how
        )
        if is_paused:
            outputs.write_history(folder, val, 1)
    statistics: GroupStatistics = outputs.statistics()
    return statistics


@pytest.mark.slow
def test_it_is_that_of_all_runs_whichever_were_paused(tmp_path: Any, outputs_at: Any) -> None:
    pruned = search(outputs_at(tmp_path / "pruned"), is_pruned=True)
    whole = search(outputs_at(tmp_path / "whole"), is_pruned=False)
    assert whole.early_importance is None
    early = pruned.early_importance
    assert early is not None
    assert (early.epoch, early.configurations) == (1, RUNS)
    shares = dict(early.importance.terms[["term", "share"]].itertuples(index=False))
    true = dict(whole.importance.terms[["term", "share"]].itertuples(index=False))
    assert shares["lr"] == pytest.approx(true["lr"], abs=0.02)


def test_of_a_pruned_grid_it_is_exact(outputs: Any) -> None:
    for width in (8, 16, 32):
        for dropout in (0.0, 0.1):
            val = 0.3 + width / 100 - dropout
            how = {"status": "pruned", "done": 1} if width == 8 else {}
            folder = outputs.run(val=val, model__width=width, model__dropout=dropout, **how)
            outputs.write_history(folder, val / 3 if how else val, 1 if how else 3)
    statistics = outputs.statistics()
    early = statistics.early_importance
    assert early is not None
    assert not early.importance.is_estimated
    ranges = dict(early.importance.terms[["term", "range"]].itertuples(index=False))
    assert ranges["width"] == pytest.approx(0.24 / 3)
    assert ranges["dropout"] == pytest.approx(0.1 / 3)
    text = (
        "After epoch 1, with the paused runs, width moves the validation accuracy by 8.0 points "
        "and dropout by 3.3; what matters early may not in the end."
    )
    assert text in [finding.text for finding in findings(statistics)]


def test_without_val_accuracies_there_is_none(outputs: Any) -> None:
    for width in range(8, 24):
        how = {"status": "pruned", "done": 1} if width < 12 else {}
        outputs.run(val=None, data={"val_size": 0}, test=0.5, model__width=width, **how)
    assert outputs.statistics().early_importance is None
