"""Mean squares of seeds and of seed x factor interactions, compared with statsmodels' anova."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.anova import anova_lm

LEVELS = {"width": "8 16 32", "dropout": "0.0 0.1 0.2"}
BASE = "value ~ C(configuration) + C(seed)"


def squares(frame: pd.DataFrame, *terms: str) -> tuple[float, int]:
    """Residual sum of squares and degrees of freedom of an ordinary regression."""
    fitted = smf.ols(" + ".join([BASE, *terms]), frame).fit()
    return fitted.ssr, round(fitted.df_resid)


@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
@pytest.mark.parametrize("lost", [[], [4, 11, 25, 31]])
def test_strata_are_those_of_a_regression(study: Any, grid: Any, lost: list[int]) -> None:
    frame = grid(seeds=range(4), stream=3, **LEVELS)
    found = study(frame.drop(index=lost).reset_index(drop=True))
    strata = found.model.strata
    error, error_df = squares(found.counted)
    rest, rest_df = squares(found.counted, "C(seed):C(width)", "C(seed):C(dropout)")
    assert (strata.error.df, strata.residual.df) == (error_df, rest_df)
    assert strata.error.value == pytest.approx(error / error_df)
    assert strata.residual.value == pytest.approx(rest / rest_df)
    assert strata.pooled.value == pytest.approx((error - rest) / (error_df - rest_df))
    for key, other in (("width", "dropout"), ("dropout", "width")):
        without, without_df = squares(found.counted, f"C(seed):C({other})")
        own = strata.own[key]
        assert own.df == without_df - rest_df
        assert own.value == pytest.approx((without - rest) / own.df)


def test_the_seeds_mean_square_is_that_of_an_analysis_of_variance(study: Any, grid: Any) -> None:
    found = study(grid(**LEVELS))
    table = anova_lm(smf.ols(BASE, found.counted).fit())
    seed = found.model.strata.seed
    assert seed.df == table.loc["C(seed)", "df"]
    assert seed.value == pytest.approx(table.loc["C(seed)", "mean_sq"])
    assert found.model.strata.seed_weight == pytest.approx(9)


def test_a_factor_is_judged_by_its_own_stratum_only_where_that_is_larger(
    study: Any, grid: Any
) -> None:
    frame = grid(seeds=range(5), **LEVELS)
    shared = np.random.default_rng(0).normal(0, 0.02, (3, 5))
    codes = frame["width"].map({"8": 0, "16": 1, "32": 2})
    strata = study(frame.assign(value=frame["value"] + shared[codes, frame["seed"]])).model.strata
    assert strata.of("width") == strata.own["width"]
    assert strata.own["width"].value > strata.pooled.value
    assert strata.of("dropout").df == strata.pooled.df == 2 * strata.own["width"].df
    assert strata.of("dropout").value == strata.pooled.value > strata.own["dropout"].value


def test_a_stratum_of_few_degrees_of_freedom_never_judges_a_factor_alone(
    study: Any, grid: Any
) -> None:
    frame = grid(seeds=range(2), width="8 16", dropout="0 0.1", depth="1 2")
    shared = np.where(frame["width"] == "16", 1, -1) * np.where(frame["seed"] == 1, 1, -1)
    strata = study(frame.assign(value=frame["value"] + 0.5 * shared)).model.strata
    assert strata.own["width"].value > 50 * strata.own["dropout"].value
    assert (strata.own["width"].df, strata.pooled.df) == (1, 3)
    assert strata.of("width").value == strata.own["width"].value
    assert strata.of("width").df == 3


def test_with_one_seed_each_the_error_is_what_an_additive_model_leaves(
    study: Any, grid: Any
) -> None:
    found = study(grid(seeds=[0], **LEVELS))
    strata = found.model.strata
    fitted = smf.ols("value ~ C(width) + C(dropout)", found.counted).fit()
    assert strata.error.df == 0
    assert strata.additive.df == fitted.df_resid == 4
    assert strata.additive.value == pytest.approx(fitted.mse_resid)


def test_one_factor_with_one_seed_each_leaves_nothing(study: Any, grid: Any) -> None:
    strata = study(grid(seeds=[0], width="8 16 32")).model.strata
    assert strata.additive.df == strata.error.df == 0


def test_one_factor_has_no_stratum_beside_the_residual(study: Any, grid: Any) -> None:
    strata = study(grid(width="8 16 32")).model.strata
    assert strata.pooled is None
    assert strata.error.df == 4


def test_seeds_that_no_two_configurations_share_are_part_of_the_scatter(
    study: Any, grid: Any
) -> None:
    frame = grid(seeds=range(6), width="8 16")
    kept = frame[(frame["width"] == "8") == (frame["seed"] < 3)].reset_index(drop=True)
    strata = study(kept).model.strata
    assert strata.seed is None
    assert strata.error.df == 4
    assert strata.error.value == pytest.approx(kept.groupby("width")["value"].var().mean())


def test_the_seeds_variance_is_estimated_where_they_are_shared_in_part(
    study: Any, grid: Any
) -> None:
    frame = grid(seeds=range(60), sd=0.005, stream=4, **LEVELS)
    frame["value"] += np.random.default_rng(5).normal(0, 0.01, 60)[frame["seed"]]
    strata = study(frame.sample(frac=0.8, random_state=0).reset_index(drop=True)).model.strata
    assert strata.seed_ratio == pytest.approx(4, rel=0.35)
