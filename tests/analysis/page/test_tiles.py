"""The numbers at the top of a group."""

from typing import Any

import pandas as pd
import pytest

from cifar_exp.analysis.page.tiles import tiles


def test_a_grid_shows_its_best_its_widest_range_its_noise_and_its_runs(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 50 - dropout / 2)
    outputs.run(status="failed", val=None, error="x", model__width=64, model__dropout=0.0)
    statistics = outputs.statistics()
    best, span, noise, runs = tiles(statistics)
    means = statistics.counted.groupby("configuration")["value"].mean()
    by_width = statistics.counted.groupby("model.width")["value"].mean()
    spread = statistics.counted.groupby("configuration")["value"].var(ddof=1).mean() ** 0.5
    assert best == {
        "value": f"{means.max() * 100:.2f}",
        "unit": "%",
        "text": f"validation accuracy: {means.idxmax()}, best of 9 (3 seeds)",
    }
    assert span["value"] == f"{(by_width.max() - by_width.min()) * 100:.2f}"
    assert span["unit"] == "pp"
    assert span["text"] == "width 32 against 8"
    assert float(noise["value"]) == pytest.approx(spread * 100, abs=0.02)
    assert noise["text"] == "standard deviation between seeds"
    assert runs == {"value": "27", "unit": "", "text": "runs completed; 1 failed"}


def test_one_run_has_neither_a_range_nor_noise(outputs: Any) -> None:
    outputs.run(val=0.5)
    best, runs = tiles(outputs.statistics())
    assert best["text"] == "validation accuracy: mean (1 seed)"
    assert runs == {"value": "1", "unit": "", "text": "run completed"}


def test_without_a_completed_run_only_the_runs_are_counted(outputs: Any) -> None:
    outputs.run(status="diverged", val=None)
    assert tiles(outputs.statistics()) == [
        {"value": "0", "unit": "", "text": "runs completed; 1 diverged"}
    ]
    assert pd.isna(outputs.statistics().noise[0])
