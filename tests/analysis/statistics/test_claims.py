"""What a report claims: families, their gate, and that intervals and verdicts agree."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.comparisons import comparison_table
from cifar_exp.analysis.statistics.effects import effect_table, interaction_table
from cifar_exp.analysis.statistics.families import GATES
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.analysis.statistics.verdicts import ALPHA, Judgment

LEVELS = {"width": "8 16 32", "dropout": "0.0 0.1 0.2"}
ACCURACY = Judgment(METRICS["val_accuracy"])
LOSS = Judgment(METRICS["val_loss"])


def tables(found: Any, baseline: str | None = None, judgment: Judgment = ACCURACY) -> Any:
    """Effects, interactions and comparisons as a report has them."""
    claims = found.claims(baseline)
    alpha = claims.families.alpha
    return (
        effect_table(claims.effects, found.factors, judgment, alpha("effects")),
        interaction_table(claims.interactions, found.factors, judgment, alpha("interactions")),
        comparison_table(claims.comparisons, judgment, alpha("comparisons")),
    )


@pytest.mark.parametrize("baseline", [None, "width=8 dropout=0.0"])
@pytest.mark.parametrize("stream", range(12))
def test_an_interval_excludes_zero_exactly_where_the_difference_is_significant(
    study: Any, grid: Any, stream: int, baseline: str | None
) -> None:
    random = np.random.default_rng(stream)
    size, sds = random.choice([0, 0.005, 0.01, 0.03]), random.choice([1, 30])
    frame = grid(effect=lambda w, _: 0.5 + size * (w == "32"), stream=stream, **LEVELS)
    uneven = 1 + (sds - 1) * (frame["dropout"] == "0.2")
    frame["value"] += (uneven - 1) * random.normal(0, 0.002, len(frame))
    kept = frame.drop(index=random.choice(range(3, 27), stream % 4, replace=False))
    for table in tables(study(kept.reset_index(drop=True)), baseline):
        excludes = (table["low"] > 0) | (table["high"] < 0)
        assert excludes.tolist() == table["is_significant"].tolist()
        claimed = table["verdict"].isin(["better", "worse"])
        assert claimed.tolist() == table["is_significant"].tolist()


def test_p_values_are_below_the_level_exactly_where_intervals_exclude_zero(
    study: Any, grid: Any
) -> None:
    count = 0
    for stream in range(40):
        frame = grid(effect=lambda w, _: 0.5 + 0.008 * (w == "32"), stream=stream, **LEVELS)
        claims = study(frame).claims()
        for name, found in claims.families.differences.items():
            alpha = claims.families.alpha(name)
            excludes = np.abs(found.means) > found.half_widths(alpha)
            assert (excludes == (found.p_values < alpha)).all()
            count += excludes.sum()
    assert count > 40


def test_comparisons_with_a_baseline_are_dunnetts_where_seeds_do_not_matter(
    study: Any, grid: Any
) -> None:
    """The runs of different configurations have different seeds here, and scatter evenly."""
    frame = grid(seeds=range(20), effect=lambda w: 0.5 + int(w) / 5000, width="8 16 32")
    own = {"8": range(5), "16": range(5, 12), "32": range(12, 20)}
    kept = frame[[row.seed in own[row.width] for row in frame.itertuples()]]
    found = study(kept.reset_index(drop=True))
    names = ["width=8", "width=16", "width=32"]
    control, *others = (found.values_of(name) for name in names)
    wanted = stats.dunnett(*others, control=control, random_state=0)
    interval = wanted.confidence_interval(0.95)
    _, _, table = (
        None,
        None,
        comparison_table(found.claims("width=8").comparisons, ACCURACY, 0.05),
    )
    table = table.set_index("configuration").loc[names[1:]]
    np.testing.assert_allclose(table["p"], wanted.pvalue, atol=4e-3)
    np.testing.assert_allclose(table["low"], interval.low, atol=2e-4)
    np.testing.assert_allclose(table["high"], interval.high, atol=2e-4)


def test_comparisons_with_the_best_are_tukeys_where_seeds_do_not_matter(
    study: Any, grid: Any
) -> None:
    frame = grid(seeds=range(20), effect=lambda w: 0.5 + int(w) / 5000, width="8 16 32")
    own = {"8": range(5), "16": range(5, 12), "32": range(12, 20)}
    kept = frame[[row.seed in own[row.width] for row in frame.itertuples()]]
    found = study(kept.reset_index(drop=True))
    wanted = stats.tukey_hsd(
        *(found.values_of(name) for name in ("width=8", "width=16", "width=32"))
    )
    table = comparison_table(found.claims().comparisons, ACCURACY, 0.05)
    assert table["reference"].unique() == ["width=32"]
    table = table.set_index("configuration").loc[["width=8", "width=16"]]
    np.testing.assert_allclose(table["p"], wanted.pvalue[:2, 2], atol=1e-3)
    interval = wanted.confidence_interval(0.95)
    np.testing.assert_allclose(table["low"], interval.low[:2, 2], atol=1e-4)


def test_effects_are_judged_against_the_strata_of_seed_and_factor(study: Any, grid: Any) -> None:
    found = study(grid(seeds=range(4), **LEVELS))
    strata = found.model.strata
    differences = found.claims().effects.differences
    wanted = [np.sqrt(strata.of(c.keys[0]).value * 2 / 12) for c in found.main]
    np.testing.assert_allclose(differences.errors, wanted)
    np.testing.assert_allclose(differences.df, [strata.of(c.keys[0]).df for c in found.main])


def test_interactions_are_judged_against_all_that_seeds_leave(study: Any, grid: Any) -> None:
    found = study(grid(seeds=range(4), **LEVELS))
    differences = found.claims().interactions.differences
    np.testing.assert_allclose(differences.errors, np.sqrt(found.model.strata.error.value))
    assert set(differences.df) == {24.0}


def test_comparisons_are_ordered_by_their_difference_the_best_first(study: Any, grid: Any) -> None:
    found = study(grid(effect=lambda w, d: int(w) / 100 - float(d), **LEVELS))
    _, _, table = tables(found, "width=8 dropout=0.0")
    assert table["configuration"].iloc[0] == "width=32 dropout=0.0"
    assert (np.diff(table["mean"]) <= 0).all()


def test_a_lower_loss_is_better_and_comes_first(study: Any, grid: Any) -> None:
    found = study(grid(effect=lambda w, _: 2 - int(w) / 50, **LEVELS))
    effects, _, table = tables(found, "width=8 dropout=0.0", LOSS)
    width = effects[effects["setting"] == "width"]
    assert width["verdict"].tolist() == ["better", "better"]
    assert (width["mean"] < 0).all()
    assert (np.diff(table["mean"]) >= 0).all()
    assert table["verdict"].iloc[0] == "better"


def test_the_gate_is_closed_and_intervals_are_wider_where_nothing_is_found(
    study: Any, grid: Any
) -> None:
    claims = study(grid(stream=0, **LEVELS)).claims()
    assert not claims.families.is_open
    assert claims.families.primary == "effects"
    assert claims.families.alpha("effects") == ALPHA
    for name in ("interactions", "comparisons"):
        assert claims.families.alpha(name) == GATES[name] < ALPHA


def test_the_gate_is_open_for_all_families_where_the_primary_one_finds_something(
    study: Any, grid: Any
) -> None:
    claims = study(grid(effect=lambda w, _: 0.5 + 0.02 * (w == "32"), **LEVELS)).claims()
    assert claims.families.is_open
    assert {claims.families.alpha(name) for name in GATES} == {ALPHA}


def test_a_very_clear_interaction_opens_the_gate_too(study: Any, grid: Any) -> None:
    signs = {"8": 1, "16": -1}
    frame = grid(
        effect=lambda w, d: 0.5 + 0.02 * signs[w] * (1 if d == "0.0" else -1),
        width="8 16", dropout="0.0 0.1",
    )  # fmt: skip
    effects, interactions, _ = tables(study(frame))
    assert not effects["is_significant"].any()
    assert interactions["is_significant"].all()


def test_with_a_baseline_comparisons_are_primary(study: Any, grid: Any) -> None:
    families = study(grid(**LEVELS)).claims("width=8 dropout=0.0").families
    assert families.primary == "comparisons"
    assert families.alpha("effects") == GATES["effects"]


def test_one_seed_each_in_a_grid_is_judged_by_an_additive_model(study: Any, grid: Any) -> None:
    found = study(grid(seeds=[0], effect=lambda w, d: int(w) / 100 - float(d), sd=0.001, **LEVELS))
    effects, _, _ = tables(found)
    assert effects["is_significant"].all()
    additive = found.model.strata.additive
    errors = found.claims().effects.differences.errors
    np.testing.assert_allclose(errors, np.sqrt(additive.value * 2 / 3))


def test_one_seed_each_in_one_factor_has_no_interval_and_no_claim(study: Any, grid: Any) -> None:
    found = study(grid(seeds=[0], width="8 16 32"))
    table = comparison_table(found.claims().comparisons, ACCURACY, 0.05)
    assert table[["low", "high", "p"]].isna().all(axis=None)
    assert table["verdict"].unique() == ["undecided"]


def test_uneven_scatter_only_widens_intervals(study: Any, grid: Any) -> None:
    frame = grid(seeds=range(5), **LEVELS)
    centered = frame["value"] - 0.5
    frame["value"] = 0.5 + centered * frame["width"].map({"8": 0.05, "16": 1, "32": 4})
    found = study(frame)
    differences = found.claims("width=8 dropout=0.0").comparisons.differences
    assert differences.wider is not None
    half = differences.half_widths(0.05)
    pooled = differences.family.critical(differences.df, 0.05) * differences.errors
    assert (half >= pooled * (1 - 1e-9)).all()
    assert (half > pooled * 1.1).any()


def test_a_single_configuration_claims_nothing(study: Any) -> None:
    runs = pd.DataFrame({"width": "8", "seed": [0, 1, 2], "value": [0.5, 0.51, 0.52]})
    claims = study(runs).claims()
    assert claims.effects is claims.interactions is claims.comparisons is None
    assert not claims.families.is_open


def one_factor_tables(found: Any, baseline: str | None = None) -> Any:
    """Effects and comparisons where no two factors could interact."""
    claims = found.claims(baseline)
    alpha = claims.families.alpha
    return (
        effect_table(claims.effects, found.factors, ACCURACY, alpha("effects")),
        comparison_table(claims.comparisons, ACCURACY, alpha("comparisons")),
    )


@pytest.mark.parametrize("widths", ["8 16", "8 16 32"])
def test_effects_of_one_factor_have_the_intervals_of_comparisons_with_its_baseline(
    study: Any, grid: Any, widths: str
) -> None:
    found = study(grid(stream=1, width=widths))
    effects, comparisons = one_factor_tables(found, "width=8")
    assert not effects["is_significant"].any()
    columns = ["mean", "low", "high", "p"]
    comparisons = comparisons.sort_values("mean")[columns].to_numpy()
    np.testing.assert_allclose(
        effects.sort_values("mean")[columns].to_numpy(), comparisons, atol=1e-3
    )


def test_the_difference_of_two_configurations_has_one_interval(study: Any, grid: Any) -> None:
    found = study(grid(stream=1, effect=lambda w: 0.5 + 0.005 * (w == "16"), width="8 16"))
    effects, comparisons = one_factor_tables(found)
    effect, comparison = effects.iloc[0], comparisons.iloc[0]
    assert (effect["level"], comparison["configuration"]) == ("16", "width=8")
    assert effect["low"] == pytest.approx(-comparison["high"], abs=1e-4)
    assert effect["high"] == pytest.approx(-comparison["low"], abs=1e-4)


def test_uneven_scatter_widens_the_effects_of_one_factor(study: Any, grid: Any) -> None:
    frame = grid(seeds=range(5), width="8 16 32")
    factors = frame["width"].map({"8": 0.1, "16": 0.1, "32": 4})
    frame["value"] = 0.5 + (frame["value"] - 0.5) * factors
    differences = study(frame).claims().effects.differences
    own = frame.groupby("width", sort=False)["value"].var()
    wanted = np.sqrt([(own["8"] + own["16"]) / 5, (own["8"] + own["32"]) / 5])
    np.testing.assert_allclose(differences.wider[0], wanted)
