"""Contrasts: least-squares means made by hand, and additive models by statsmodels."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

LEVELS = {"width": "8 16 32", "dropout": "0.0 0.1 0.2"}


def effect(width: str, dropout: str) -> float:
    return float(0.3 + int(width) / 100 - float(dropout) * int(width) / 50)


def differences(found: Any) -> dict[tuple[str, str], float]:
    """Main effects by factor and level."""
    means = found.model.means
    return {(c.keys[0], c.levels[0]): float(c.weights @ means) for c in found.main}


def cell_means(found: Any) -> pd.DataFrame:
    """Means with a row per width and a column per dropout."""
    return found.counted.pivot_table(index="width", columns="dropout", values="value")


def test_main_effects_of_a_grid_are_differences_of_marginal_means(study: Any, grid: Any) -> None:
    found = study(grid(effect=effect, **LEVELS))
    table = cell_means(found)
    rows, columns = table.mean(axis=1), table.mean()
    assert differences(found) == pytest.approx(
        {("width", w): rows[w] - rows["8"] for w in ("16", "32")}
        | {("dropout", d): columns[d] - columns["0.0"] for d in ("0.1", "0.2")}
    )
    assert {c.over for c in found.main} == {"dropout 0.0, 0.1, 0.2", "width 8, 16, 32"}
    assert {c.basis for c in found.main} == {"all"}


def test_interactions_are_differences_of_differences(study: Any, grid: Any) -> None:
    found = study(grid(effect=effect, **LEVELS))
    table, means = cell_means(found), found.model.means
    made = {c.levels: c.weights @ means for c in found.pairs}
    wanted = {
        (w, d): table.loc[w, d] - table.loc["8", d] - table.loc[w, "0.0"] + table.loc["8", "0.0"]
        for w, d in product(("16", "32"), ("0.1", "0.2"))
    }
    assert made == pytest.approx(wanted)


def test_one_lost_run_changes_no_levels_that_are_averaged_over(study: Any, grid: Any) -> None:
    frame = grid(effect=effect, sd=0.0005, **LEVELS)
    whole, lost = study(frame), study(frame.drop(index=26).reset_index(drop=True))
    assert [c.over for c in whole.main] == [c.over for c in lost.main]
    for key, value in differences(whole).items():
        assert differences(lost)[key] == pytest.approx(value, abs=0.0005)


def test_a_configuration_that_was_never_trained_is_left_out_of_the_average_and_said_so(
    study: Any, grid: Any
) -> None:
    frame = grid(effect=effect, **LEVELS)
    gone = (frame["width"] == "32") & (frame["dropout"] == "0.2")
    found = study(frame[~gone].reset_index(drop=True))
    table = cell_means(found)
    whole = table[["0.0", "0.1"]].mean(axis=1)
    assert differences(found)["width", "32"] == pytest.approx(whole["32"] - whole["8"])
    assert differences(found)["width", "16"] == pytest.approx(whole["16"] - whole["8"])
    widths = [c for c in found.main if c.keys == ("width",)]
    assert {(c.over, c.basis) for c in widths} == {("dropout 0.0, 0.1", "some")}


def test_a_fraction_of_a_grid_is_fitted_by_an_additive_model(study: Any) -> None:
    random = np.random.default_rng(0)
    rows = [
        {**dict(zip("abcde", (*signs, np.prod(signs)), strict=True)), "seed": seed}
        for signs in product((-1, 1), repeat=4)
        for seed in (0, 1)
    ]
    frame = pd.DataFrame(rows)
    values = 0.5 + 0.01 * frame["a"] + 0.005 * frame["b"] + random.normal(0, 0.002, len(frame))
    names = {-1: "low", 1: "up"}
    text = frame.assign(**{key: frame[key].map(names) for key in "abcde"})
    found = study(text.assign(value=values))
    fitted = smf.ols("value ~ a + b + c + d + e", text.assign(value=values)).fit()
    assert differences(found) == pytest.approx(
        {(key, "up"): fitted.params[f"{key}[T.up]"] for key in "abcd"}
        | {("e", "low"): -fitted.params["e[T.up]"]}  # the first run's level is the reference
    )
    assert {c.basis for c in found.main} == {"additive"}
    assert found.main[0].over == "additive in b, c, d, e"


def test_one_factor_at_a_time_is_compared_with_the_common_configuration(study: Any) -> None:
    rows = [("1", "1", "1"), ("2", "1", "1"), ("1", "2", "1"), ("1", "1", "2"), ("1", "1", "3")]
    frame = pd.DataFrame(
        [(*row, seed) for row in rows for seed in range(3)], columns=["a", "b", "c", "seed"]
    )
    found = study(frame.assign(value=np.random.default_rng(1).normal(0.5, 0.01, 15)))
    own = found.counted.groupby("configuration")["value"].mean()
    base = own["a=1 b=1 c=1"]
    assert differences(found) == pytest.approx(
        {
            ("a", "2"): own["a=2 b=1 c=1"] - base,
            ("b", "2"): own["a=1 b=2 c=1"] - base,
            ("c", "2"): own["a=1 b=1 c=2"] - base,
            ("c", "3"): own["a=1 b=1 c=3"] - base,
        }
    )


def test_every_contrast_compares_and_so_its_weights_sum_to_zero(study: Any, grid: Any) -> None:
    found = study(grid(a="0 1", b="0 1 2", c="x y"))
    for contrast in (*found.main, *found.pairs):
        assert contrast.weights.sum() == pytest.approx(0, abs=1e-12)
    assert len(found.main) == 1 + 2 + 1
    assert len(found.pairs) == 2 + 1 + 2
