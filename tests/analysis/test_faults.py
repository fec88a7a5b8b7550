"""Faults of an earlier report, each by the study that showed it: numbers, claims and sentences."""

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.collect import findings


def texts(statistics: Any, *claims: str) -> list[str]:
    """The sentences of a report, or those of these kinds."""
    return [f.text for f in findings(statistics) if not claims or f.claim in claims]


def effects(statistics: Any) -> Any:
    """The main effects by setting and level."""
    return statistics.effects.set_index(["name", "level"])


def two_widths(outputs: Any, first: range, second: range, gain: float, stream: int) -> Any:
    """Runs of width 16 and 32 with these seeds, SD 0.6 pp; their values by width."""
    random = np.random.default_rng(stream)
    values: dict[int, list[float]] = {16: [], 32: []}
    for width, seeds, mean in ((16, first, 0.5), (32, second, 0.5 + gain)):
        for seed in seeds:
            values[width].append(float(random.normal(mean, 0.006)))
            outputs.run(seed=seed, val=values[width][-1], model__width=width)
    return values


def test_two_shared_seeds_do_not_throw_the_other_sixteen_away(outputs: Any) -> None:
    values = two_widths(outputs, range(10), range(8, 18), 0.015, stream=0)
    statistics = outputs.statistics()
    row = effects(statistics).loc["width", "32"]
    assert row["mean"] == pytest.approx(np.mean(values[32]) - np.mean(values[16]))
    assert row["is_significant"]
    assert row["p"] == pytest.approx(stats.ttest_ind(values[32], values[16]).pvalue, abs=1e-4)
    (text,) = texts(statistics, "effect")
    assert re.fullmatch(
        r"Width 32 against 16: \+1\.\d\d pp, 95 % interval \[.*\]: significantly better\.", text
    )


def test_one_shared_seed_does_not_replace_the_difference_of_the_means(outputs: Any) -> None:
    values = two_widths(outputs, range(3), range(2, 9), 0.0, stream=1)
    statistics = outputs.statistics()
    means = statistics.summary.set_index("configuration")["mean"]
    row = effects(statistics).loc["width", "32"]
    assert row["mean"] == pytest.approx(np.mean(values[32]) - np.mean(values[16]))
    assert row["mean"] == pytest.approx(means["width=32"] - means["width=16"])
    assert np.isfinite(row["low"])


def wide(width: int, dropout: float) -> float:
    """Like the README's sweep: dropout costs narrow networks more."""
    return 0.40 + 0.008 * width - 0.5 * dropout + 0.012 * width * dropout


def test_one_lost_run_of_27_changes_neither_effects_nor_what_they_average_over(
    outputs_at: Any, tmp_path: Any
) -> None:
    found = []
    for name in ("whole", "lost"):
        outputs = outputs_at(tmp_path / name)
        folders = outputs.grid(wide, noise=0.005)
        if name == "lost":
            record = folders[32, 0.2, 2] / "run.json"
            text = record.read_text().replace('"status": "completed"', '"status": "failed"')
            record.write_text(text)
        found.append(outputs.statistics())
    whole, lost = found
    assert len(lost.counted) == len(whole.counted) - 1
    for key, row in effects(whole).iterrows():
        other = effects(lost).loc[key]
        assert other["averaged_over"] == row["averaged_over"]
        assert other["mean"] == pytest.approx(row["mean"], abs=0.004)
    assert any("averaged over dropout" in text for text in texts(lost, "effect"))


def test_a_combination_that_was_never_trained_is_told_with_the_levels_that_are_left(
    outputs: Any,
) -> None:
    random = np.random.default_rng(0)
    for width, dropout, seed in product((8, 16, 32), (0.0, 0.1, 0.2), range(3)):
        if (width, dropout) != (32, 0.2):
            value = float(wide(width, dropout) + random.normal(0, 0.005))
            outputs.run(seed=seed, val=value, model__width=width, model__dropout=dropout)
    (text, _) = texts(outputs.statistics(), "effect")
    assert text.startswith("Width 32 against 8, only at dropout 0 and 0.1: ")


def test_a_report_of_noise_claims_nothing_and_flatters_no_configuration(outputs: Any) -> None:
    """The reference is picked by the same runs; tests/benchmarks has the rates over many."""
    outputs.grid(lambda *_: 0.5, noise=0.005)
    statistics = outputs.statistics()
    best = statistics.summary.iloc[0]
    assert best["ci_low"] < 0.5 < best["ci_high"]
    for table in (statistics.effects, statistics.interactions, statistics.comparisons):
        assert not table["is_significant"].any()
    assert statistics.honest_best < best["mean"]
    assert any(
        "Choosing the best by its own runs flatters it" in text for text in texts(statistics)
    )


def test_no_interval_contradicts_its_verdict(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.5 + 0.02 * (width == 32) - 0.03 * dropout, noise=0.005)
    statistics = outputs.statistics()
    undecided = []
    for table in (statistics.effects, statistics.interactions, statistics.comparisons):
        excludes = (table["low"] > 0) | (table["high"] < 0)
        assert excludes.tolist() == table["is_significant"].tolist()
        undecided += table.loc[~excludes, "verdict"].tolist()
    assert set(undecided) == {"undecided"}


def test_a_significant_interaction_is_significant_in_the_table_and_in_the_sentence(
    outputs: Any,
) -> None:
    """An F test found it and the table beneath did not, from another estimate of the error."""
    outputs.grid(wide, noise=0.004)
    statistics = outputs.statistics()
    corner = statistics.interactions.set_index(["level", "other_level"]).loc["32", "0.2"]
    assert corner["is_significant"]
    (text,) = texts(statistics, "interaction")
    assert "depends on" in text
    errors = statistics.claims.interactions.differences.df
    assert set(errors) == {16.0}


def test_an_interaction_that_was_not_planted_is_not_claimed(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.4 + width / 150 - dropout / 4, seeds=2, noise=0.004)
    assert texts(outputs.statistics(), "interaction") == []


def test_a_grid_with_one_seed_each_is_judged_by_its_additive_model(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.4 + width / 200 - dropout / 3, seeds=1, noise=0.003)
    statistics = outputs.statistics()
    assert statistics.effects["is_significant"].all()
    assert (effects(statistics).loc[("width", "32"), "p"]) < 0.001
    assert any("residuals of an additive model" in text for text in cautions(statistics))
    assert not any("chance alone" in text for text in texts(statistics))


def test_a_fractional_design_has_its_effects_told(outputs: Any) -> None:
    """2^(5-1) with two seeds; a gains 2 points, b gains 1."""
    random = np.random.default_rng(3)
    for signs in product((0, 1), repeat=4):
        fifth = sum(signs) % 2
        for seed in range(2):
            value = 0.5 + 0.02 * signs[0] + 0.01 * signs[1] + random.normal(0, 0.003)
            settings = dict(zip("abcde", (*signs, fifth), strict=True))
            outputs.run(
                seed=seed, val=float(value), **{f"model__{k}": v for k, v in settings.items()}
            )
    statistics = outputs.statistics()
    table = effects(statistics)
    assert table.loc[("a", "1"), "mean"] == pytest.approx(0.02, abs=0.003)
    assert table.loc[("b", "1"), "mean"] == pytest.approx(0.01, abs=0.003)
    assert set(table.index[table["is_significant"]]) == {("a", "1"), ("b", "1")}
    first, second, *_ = texts(statistics, "effect")
    assert first.startswith("A 1 against 0 (in a model that is additive in b, c, d, e): +")
    assert second.startswith("B 1 against 0 (in a model that is additive in a, c, d, e): +")


def test_nearly_equal_configurations_are_called_equivalent_and_take_no_more_seeds(
    outputs: Any,
) -> None:
    random = np.random.default_rng(0)
    for width, seed in product((16, 32), range(12)):
        outputs.run(seed=seed, val=float(random.normal(0.5, 0.001)), model__width=width)
    statistics = outputs.statistics(worth=0.3)
    (row,) = statistics.comparisons.to_dict("records")
    assert row["verdict"] == "equivalent"
    (text,) = texts(statistics, "effect")
    assert text.endswith("no difference of 0.3 points or more.")
    assert not any("would" in sentence for sentence in texts(statistics))


def test_one_configuration_that_leads_by_four_sds_is_told_from_the_others(outputs: Any) -> None:
    outputs.grid(lambda w, d: 0.5 + 0.02 * (w == 32 and d == 0.2), noise=0.005)
    statistics = outputs.statistics()
    assert statistics.best == "width=32 dropout=0.2"
    assert statistics.comparisons["is_significant"].sum() >= 6


def test_an_accuracy_near_zero_has_an_interval_within_0_and_100_percent(outputs: Any) -> None:
    for width, values in {4: (0.0, 0.025), 8: (0.05, 0.025)}.items():
        for seed, value in enumerate(values):
            outputs.run(seed=seed, val=value, model__width=width)
    statistics = outputs.statistics()
    assert (statistics.summary["ci_low"] >= 0).all()
    assert (statistics.summary["ci_high"] <= 1).all()
    (text,) = texts(statistics, "best")
    low, high = re.search(r"\[(-?[\d.]+), (-?[\d.]+)\]", text).groups()
    assert 0 <= float(low) < float(high) <= 100


def test_the_seeds_that_would_do_follow_from_the_scatter_and_not_from_the_observed_effect(
    outputs_at: Any, tmp_path: Any
) -> None:
    found = []
    for shift in (0.0, 0.002, -0.001):
        outputs = outputs_at(tmp_path / f"{shift}")
        for width, seed in product((8, 16, 32), range(3)):
            value = 0.5 + shift * (width == 16) + 0.004 * ((seed * width // 8) % 3 - 1)
            outputs.run(seed=seed, val=value, model__width=width)
        statistics = outputs.statistics(worth=0.5)
        found.append((texts(statistics, "resolution"), statistics.seeds_for(0.005)))
    assert found[0] == found[1] == found[2]
    ((text,), seeds) = found[0]
    assert text.endswith(f"one of 0.5 points would take {int(seeds)} seeds.")


def test_the_difference_that_seeds_find_is_that_which_the_comparisons_need(outputs: Any) -> None:
    """A figure promised 2.65 points where its page's comparisons needed 7.5."""
    outputs.grid(lambda *_: 0.5, noise=0.005)
    statistics = outputs.statistics()
    sd, df = statistics.noise
    assert df == 18
    promised = float(statistics.resolution.set_index("seeds").loc[3, "resolvable"])
    tukey = stats.studentized_range.isf(0.05, 9, 16) / 2**0.5
    needed = (tukey + stats.t.isf(0.2, 16)) * sd * (2 / 3) ** 0.5
    assert promised == pytest.approx(needed, rel=0.03)
