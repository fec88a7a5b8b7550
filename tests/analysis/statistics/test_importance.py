"""Importance agrees with an analysis of variance on a grid, and with the truth elsewhere."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.anova import anova_lm

from cifar_exp.analysis.statistics.factors import ABSENT, Factor
from cifar_exp.analysis.statistics.importance import Importance, importance
from cifar_exp.analysis.statistics.surrogate import InsufficientDataError, fit_surrogate

WIDTHS = np.array([8, 16, 32, 64])
DROPOUTS = np.array([0.0, 0.1, 0.2, 0.3])


def table(values: np.ndarray, **columns: Any) -> tuple[pd.DataFrame, list[Factor]]:
    """Counted runs of one seed each, and their factors."""
    frame = pd.DataFrame({key: [str(v) for v in column] for key, column in columns.items()})
    frame = frame.assign(value=values, seed=0)
    frame["configuration"] = frame[list(columns)].agg(" ".join, axis=1)
    factors = []
    for key, column in columns.items():
        is_numeric = all(not isinstance(v, str) or v == ABSENT for v in column)
        order = sorted(set(column), key=lambda v: (v != ABSENT, v if v != ABSENT else 0))
        levels = tuple(str(v) for v in order)
        factors.append(Factor(key, key.rpartition(".")[2], levels, is_numeric))
    return frame, factors


def estimate(frame: pd.DataFrame, factors: list[Factor]) -> pd.DataFrame:
    found = importance(frame, factors, fit_surrogate(frame, factors))
    assert found.is_estimated
    return found.terms.set_index("term")


def search(runs: int, seed: int) -> tuple[pd.DataFrame, list[Factor]]:
    """A random search whose true shares are lr 82 %, width 16 % and dropout 2 %."""
    random = np.random.default_rng(seed)
    exponent = random.uniform(-3, 0, runs)
    width = random.choice(WIDTHS, runs)
    dropout = random.choice(DROPOUTS, runs)
    points = np.linspace(-3, 0, 10001)
    curve = -((exponent + 1.2) ** 2) / np.std((points + 1.2) ** 2)
    slope = np.log2(width) / np.std(np.log2(WIDTHS))
    fall = -dropout / np.std(DROPOUTS)
    values = np.sqrt(0.82) * curve + np.sqrt(0.16) * slope + np.sqrt(0.02) * fall
    values = 0.5 + 0.05 * (values + random.normal(0, 0.15, runs))
    return table(values, lr=10**exponent, width=width, dropout=dropout)


def test_a_full_grid_has_the_shares_of_the_analysis_of_variance(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.4 + width / 200 - dropout - dropout * (width == 8))
    statistics = outputs.statistics()
    frame = statistics.counted.rename(columns={"model.width": "w", "model.dropout": "d"})
    frame = frame.astype({"w": str, "d": str})
    anova = anova_lm(smf.ols("value ~ C(w) * C(d) + C(seed)", frame).fit())
    between = anova.loc[["C(w)", "C(d)", "C(w):C(d)"]]
    names = ["width", "dropout", "width x dropout"]
    found = statistics.importance.terms.set_index("term").loc[names]
    shares = between["sum_sq"] / between["sum_sq"].sum()
    assert found["share"].to_numpy() == pytest.approx(shares.to_numpy())
    real = between["sum_sq"] - between["df"] * anova.loc["Residual", "mean_sq"]
    assert found["omega"].to_numpy() == pytest.approx((real / real.sum()).to_numpy())
    means = frame.groupby("w")["value"].mean()
    assert found.loc["width", "range"] == pytest.approx(means.max() - means.min())
    assert np.isnan(found.loc["width x dropout", "range"])


def test_omega_leaves_out_what_chance_adds(outputs: Any) -> None:
    outputs.grid(lambda width, _: 0.5 + 0.001 * (width == 8), noise=0.01)
    terms = outputs.statistics().importance.terms
    assert terms["share"].sum() == pytest.approx(1)
    assert terms["omega"].dropna().sum() in (pytest.approx(0), pytest.approx(1))


def test_seeds_that_some_configurations_lack_are_pooled(outputs: Any) -> None:
    values = {8: [0.3, 0.31, 0.33], 16: [0.5, 0.52], 32: [0.6, 0.61]}
    for width, accuracies in values.items():
        for seed, accuracy in enumerate(accuracies):
            outputs.run(seed=seed, val=accuracy, model__width=width)
    (term,) = outputs.statistics().importance.terms.to_dict("records")
    assert (term["share"], term["omega"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert term["range"] == pytest.approx(0.605 - (0.3 + 0.31 + 0.33) / 3)


def test_with_one_seed_each_chance_is_unknown(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: width / 100 - dropout, seeds=1)
    found = outputs.statistics().importance
    assert not found.is_estimated
    assert found.terms["omega"].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize("runs", [60, 100, 200])
def test_shares_of_a_random_search_are_near_the_truth_and_never_above_one(runs: int) -> None:
    shares = []
    for seed in range(4):
        terms = estimate(*search(runs, seed))
        assert terms["share"].sum() <= 1 + 1e-9
        shares.append(terms.loc[["lr", "width", "dropout"], "share"].to_numpy())
    assert np.mean(shares, axis=0) == pytest.approx([0.82, 0.16, 0.02], abs=0.03)


def test_shares_and_ranges_agree_with_averages_over_sampled_points() -> None:
    frame, factors = search(60, 0)
    model = fit_surrogate(frame, factors)
    random = np.random.default_rng(1)
    codes = np.column_stack([random.choice(column, 4000) for column in model.process.codes.T])
    total = model.process.predict(codes).var()
    terms = estimate(frame, factors)
    for axis, name in enumerate(("lr", "width", "dropout")):
        trend = []
        for code in range(len(model.levels[axis])):
            held = codes[:500].copy()
            held[:, axis] = code
            trend.append(model.process.predict(held).mean())
        weights = np.bincount(model.process.codes[:, axis]) / len(model.process.codes)
        variance = np.average((trend - np.average(trend, weights=weights)) ** 2, weights=weights)
        assert terms.loc[name, "share"] == pytest.approx(variance / total, abs=0.03)
        assert terms.loc[name, "range"] == pytest.approx(np.ptp(trend), rel=0.02)


def test_an_interaction_is_a_share_of_its_pair() -> None:
    random = np.random.default_rng(0)
    a, b = random.uniform(-1, 1, 80), random.uniform(-1, 1, 80)
    terms = estimate(*table(0.5 + 0.1 * a * b + random.normal(0, 0.005, 80), a=a, b=b))
    assert terms["share"].idxmax() == "a x b"
    assert terms.loc["a x b", "share"] > 0.8


def test_words_and_settings_that_some_runs_lack_are_modeled() -> None:
    random = np.random.default_rng(0)
    optimizer = random.choice(["adamw", "sgd"], 60)
    momentum = [
        float(m) if o == "sgd" else ABSENT
        for o, m in zip(optimizer, random.uniform(0, 1, 60), strict=True)
    ]
    decay = random.uniform(0, 1, 60)
    values = 0.5 + 0.1 * (optimizer == "sgd") + 0.05 * decay + random.normal(0, 0.005, 60)
    terms = estimate(*table(values, optimizer=optimizer, momentum=momentum, decay=decay))
    assert terms.loc["optimizer", "range"] == pytest.approx(0.1, abs=0.01)
    assert terms.loc["decay", "range"] == pytest.approx(0.05, abs=0.01)
    assert terms.loc["momentum", "range"] < 0.01


def test_a_fraction_of_a_grid_is_enough() -> None:
    rows = [row for row in product((0, 1), repeat=5) if sum(row) % 2 == 0]
    columns = {name: [row[i] for row in rows] for i, name in enumerate("abcde")}
    random = np.random.default_rng(0)
    noise = random.normal(0, 0.0015, len(rows))
    values = 0.5 + 0.02 * np.array(columns["a"]) + 0.01 * np.array(columns["b"]) + noise
    terms = estimate(*table(values, **columns))
    assert terms.loc["a", "range"] == pytest.approx(0.02, abs=0.003)
    assert terms.loc["b", "range"] == pytest.approx(0.01, abs=0.003)
    assert terms.loc[["c", "d", "e"], "range"].max() < 0.003


def test_nothing_is_said_where_nothing_is_known() -> None:
    random = np.random.default_rng(0)
    columns = {name: random.uniform(0, 1, 200) for name in ("momentum", "weight_decay", "dropout")}
    frame, factors = table(0.5 + random.normal(0, 0.01, 200), **columns)
    with pytest.raises(InsufficientDataError) as caught:
        fit_surrogate(frame, factors)
    assert str(caught.value).startswith(
        "a Gaussian process fitted to 200 configurations cannot predict those left out"
    )


@pytest.mark.slow
def test_chance_rarely_seems_to_be_knowledge() -> None:
    known = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        columns = {name: random.uniform(0, 1, 24) for name in "abc"}
        frame, factors = table(random.normal(0.5, 0.01, 24), **columns)
        try:
            fit_surrogate(frame, factors)
        except InsufficientDataError:
            continue
        known += 1
    assert known <= 3


@pytest.mark.slow
def test_of_many_configurations_some_are_used_and_it_says_so() -> None:
    frame, factors = search(1000, 0)
    first = importance(frame, factors, fit_surrogate(frame, factors))
    again = importance(frame, factors, fit_surrogate(frame, factors))
    assert first.method == "a Gaussian process fitted to 400 of 1,000 configurations"
    pd.testing.assert_frame_equal(first.terms, again.terms)


@pytest.mark.slow
def test_the_model_expects_of_the_best_what_is_true_of_it() -> None:
    flattered, expected = [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        exponent, decay = random.uniform(-3, 0, 100), random.uniform(0, 1, 100)
        truth = 0.6 - 0.05 * (exponent + 1.2) ** 2 + 0.02 * decay
        values = truth + random.normal(0, 0.02, 100)
        frame, factors = table(values, lr=10**exponent, decay=decay)
        best = int(values.argmax())
        levels = {factor.key: str(frame[factor.key][best]) for factor in factors}
        flattered.append(values[best] - truth[best])
        expected.append(fit_surrogate(frame, factors).expected(levels) - truth[best])
    assert np.mean(flattered) > 0.02
    assert abs(np.mean(expected)) < 0.005


def test_of_a_number_that_it_does_not_know_it_expects_what_the_nearest_one_gives() -> None:
    frame, factors = search(60, 0)
    model = fit_surrogate(frame, factors)
    known = {"width": "16", "dropout": "0.1"}
    near = float(model.levels[0][30])
    exact = model.expected({**known, "lr": model.levels[0][30]})
    assert model.expected({**known, "lr": str(near * 1.0001)}) == exact
    assert np.isnan(model.expected({**known, "lr": "fast"}))


def test_many_values_of_one_setting_are_no_grid() -> None:
    lr = np.linspace(0.01, 1, 30)
    noise = np.random.default_rng(0).normal(0, 0.002, 30)
    terms = estimate(*table(0.5 - 0.1 * (lr - 0.5) ** 2 + noise, lr=lr))
    assert terms.loc["lr", "share"] == pytest.approx(1)
    assert terms.loc["lr", "range"] == pytest.approx(0.1 * 0.5**2, abs=0.004)


def test_too_few_configurations_say_so(outputs: Any) -> None:
    for width, dropout in ((8, 0.0), (16, 0.1), (16, 0.0)):
        outputs.run(val=width / 100 + dropout, model__width=width, model__dropout=dropout)
    assert outputs.statistics().importance == (
        "the 3 configurations are not a full grid, and a model of 2 settings needs at least 10"
    )


def test_there_is_no_importance_if_nothing_varies_or_nothing_differs(outputs: Any) -> None:
    outputs.run(val=0.5, model__width=8)
    assert outputs.statistics().importance == "no two configurations have completed runs"
    outputs.run(val=0.5, model__width=16)
    assert outputs.statistics().importance == "all configurations have the same mean"


def test_the_factor_with_the_largest_range_comes_first(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.5 + width / 1e4 - dropout)
    statistics = outputs.statistics()
    assert isinstance(statistics.importance, Importance)
    assert [factor.name for factor in statistics.by_importance] == ["dropout", "width"]
