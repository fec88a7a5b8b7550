"""Power and false claims of a whole report over many made-up sweeps; see benchmarks/power.py.

The tolerances are three standard errors of a share, so that a test fails only if a rate is wrong.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from made_sweeps import Noise, Sweep, claims_of, judged, of_the_best, verdict
from power import NOISES, NULL, corner, equivalence, lines, width_32

SWEEPS = 250
pytestmark = pytest.mark.slow


def sweeps(noise: Noise, seeds: int = 3, stream: int = 0) -> list[Sweep]:
    random = np.random.default_rng(stream)
    return [Sweep(noise.draw(random, seeds)) for _ in range(SWEEPS)]


def rates(noise: Noise, truth: np.ndarray) -> Mapping[str, float]:
    """The means of what is found and falsely claimed."""
    return pd.DataFrame([judged(s.model(truth), truth) for s in sweeps(noise)]).mean()


def error(share: float, number: int = SWEEPS) -> float:
    return float((share * (1 - share) / number) ** 0.5)


@pytest.mark.parametrize("noise", ["equal SDs", "seed x width 0.5", "uneven SDs"])
def test_a_report_of_noise_claims_anything_in_one_sweep_of_twenty(noise: str) -> None:
    found = rates(NOISES[noise], NULL)
    for mode in ("picked", "baseline"):
        assert found[f"{mode} box false"] <= 0.055 + 3 * error(0.055)


def test_a_main_effect_is_found_and_its_family_makes_few_false_claims() -> None:
    found = rates(NOISES["equal SDs"], width_32(1.0))
    assert found["picked effects found"] >= 0.75 - 3 * error(0.75)
    for family in ("effects", "interactions", "comparisons"):
        assert found[f"picked {family} false"] <= 0.055 + 3 * error(0.055)


def test_one_configuration_that_leads_by_2_points_is_found_with_and_without_a_baseline() -> None:
    found = rates(NOISES["equal SDs"], corner(2.0))
    assert found["picked comparisons found"] >= 0.78 - 3 * error(0.78)
    assert found["baseline comparisons found"] >= 0.88 - 3 * error(0.88)
    for family in ("effects", "interactions", "comparisons"):
        assert found[f"baseline {family} false"] <= 0.055 + 3 * error(0.055)


def test_the_bests_interval_holds_though_the_best_was_picked_and_the_honest_mean_is_unbiased() -> (
    None
):
    rows = [of_the_best(sweep.model(NULL), NULL) for sweep in sweeps(NOISES["equal SDs"])]
    found = pd.DataFrame(rows)
    assert found["covered"].mean() >= 0.94 - 3 * error(0.94)
    assert found["is candidate"].mean() >= 0.95 - 3 * error(0.95)
    assert found["bias"].mean() > 0.3
    assert abs(found["honest bias"].mean()) < 3 * found["honest bias"].std() / SWEEPS**0.5


def test_equivalence_is_rarely_claimed_of_a_difference_that_just_matters() -> None:
    made = sweeps(NOISES["equal SDs"], seeds=10)[:40]
    at_worth = [verdict(sweep.model(width_32(0.5)), 1, 0.5) for sweep in made]
    at_zero = [verdict(sweep.model(NULL), 1, 0.5) for sweep in made]
    assert at_worth.count("equivalent") <= 40 * (0.05 + 3 * error(0.05, 40))
    assert at_zero.count("equivalent") >= 24


def test_claims_are_those_of_tables_whose_intervals_exclude_zero() -> None:
    for sweep in sweeps(NOISES["equal SDs"])[:30]:
        for claims in claims_of(sweep.model(width_32(1.0))).values():
            for name, found in claims.families.differences.items():
                alpha = claims.families.alpha(name)
                excludes = np.abs(found.means) > found.half_widths(alpha)
                assert excludes.tolist() == (found.p_values < alpha).tolist()


def test_tables_are_aligned_and_mark_what_misses_a_target() -> None:
    row = equivalence(3, 5)
    text = list(lines({"3 seeds": row, "and a longer name": row}))
    assert len({len(line) for line in text}) == 1
    assert list(row) == [
        "equivalent at 0.0", "better at 0.0", "equivalent at 0.5", "better at 0.5",
    ]  # fmt: skip
