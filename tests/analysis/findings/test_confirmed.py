"""Sentences on what fresh seeds confirmed, and on when they are called for."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.findings.confirmed import confirm_hint, confirmed_findings
from cifar_exp.analysis.findings.headline import headline


def runs(outputs, width: int, values: Iterable[float], start: int = 0, **more) -> list[Path]:
    return [
        outputs.run(seed=seed, val=value, model__width=width, **more)
        for seed, value in enumerate(values, start)
    ]


def test_a_confirmed_configuration_has_both_means(outputs) -> None:
    selected = runs(outputs, 32, (0.63, 0.64, 0.638))
    origin = outputs.sweep("mine", [*selected, *runs(outputs, 16, (0.5, 0.51, 0.52))])
    fresh = runs(outputs, 32, (0.634, 0.63, 0.638), start=3)
    confirming = outputs.confirming(origin, {"width=32": (selected, fresh)})
    for folder in (origin, confirming):
        (finding,) = confirmed_findings(outputs.statistics(folder))
        assert finding.text == (
            "Confirmed on 3 fresh seeds: width=32, 63.40 %, 95 % interval [62.41, 64.39] "
            "(63.60 % on the 3 seeds that selected it)."
        )
        assert (finding.claim, finding.level) == ("confirmed", "width=32")
        assert finding.difference == pytest.approx(-0.002)
        assert finding in findings(outputs.statistics(folder))


def test_a_sweep_that_is_not_confirmed_says_nothing(outputs) -> None:
    origin = outputs.sweep("mine", runs(outputs, 8, (0.5, 0.6)))
    assert list(confirmed_findings(outputs.statistics(origin))) == []


def test_seeds_that_are_not_done_or_did_not_complete_are_told(outputs) -> None:
    selected = runs(outputs, 32, (0.63,))
    origin = outputs.sweep("mine", selected)
    fresh = [
        *runs(outputs, 32, (0.6,), start=1),
        *runs(outputs, 32, (0.1,), start=2, status="diverged", error="nan"),
        Path("tiny-0123456789"),
    ]
    outputs.confirming(origin, {"width=32": (selected, fresh)})
    (finding,) = confirmed_findings(outputs.statistics(origin))
    assert finding.text == (
        "Confirmed on 1 of 3 fresh seeds: width=32, 60.00 %, no interval (63.00 % on the one seed "
        "that selected it); 1 diverged."
    )
    shutil.rmtree(fresh[0])
    (finding,) = confirmed_findings(outputs.statistics(origin))
    assert finding.text == (
        "Not confirmed yet: width=32, 63.00 % on the one seed that selected it; none of 3 fresh "
        "seeds has completed; 1 diverged."
    )
    assert finding.difference is None


def test_runs_that_are_gone_are_told_where_nothing_is_recorded(outputs) -> None:
    selected = runs(outputs, 32, (0.63, 0.64))
    origin = outputs.sweep("mine", selected)
    fresh = runs(outputs, 32, (0.6, 0.61), start=2)
    confirming = outputs.confirming(origin, {"width=32": (selected, fresh)})
    shutil.rmtree(selected[0])
    (finding,) = confirmed_findings(outputs.statistics(confirming, metric="test_accuracy"))
    assert finding.text.endswith("(the runs with the 2 seeds that selected it are gone).")


def test_a_baseline_was_not_selected(outputs) -> None:
    selected, named = runs(outputs, 32, (0.63, 0.64)), runs(outputs, 16, (0.5, 0.51))
    origin = outputs.sweep("mine", [*selected, *named])
    pairs = (
        {"width=32": (selected, runs(outputs, 32, (0.62,), start=2))},
        {"width=16": (named, runs(outputs, 16, (0.5,), start=2))},
    )
    outputs.confirming(origin, *pairs)
    _, finding = confirmed_findings(outputs.statistics(origin))
    assert finding.text.endswith("(50.50 % on the 2 seeds of the sweep).")


def test_selected_configurations_are_no_design_whose_effects_are_told(outputs) -> None:
    def pair(width: int, dropout: float, low: float) -> tuple[list[Path], list[Path]]:
        made = runs(outputs, width, (low, low + 0.01, low, low + 0.02), model__dropout=dropout)
        return made[:2], made[2:]

    pairs = {"width=32 dropout=0": pair(32, 0.0, 0.6), "width=16 dropout=0.1": pair(16, 0.1, 0.5)}
    origin = outputs.sweep("mine", [run for selected, _ in pairs.values() for run in selected])
    statistics = outputs.statistics(outputs.confirming(origin, pairs))
    assert {finding.claim for finding in findings(statistics)} <= {
        "headline",
        "best",
        "candidates",
        "honest_best",
        "confirmed",
        "resolution",
    }
    assert headline(statistics) == (
        "On 2 fresh seeds, width=32 dropout=0: 61.00 % (60.50 % on the 2 seeds that selected it)."
    )
    assert not any("changed only with" in caution for caution in cautions(statistics))


def grid(outputs, widths: Iterable[int], seeds: int = 1) -> list[Path]:
    return [run for width in widths for run in runs(outputs, width, [width / 100] * seeds)]


def test_a_search_with_one_seed_each_is_told_how_to_confirm_its_best(outputs) -> None:
    origin = outputs.sweep("my search", grid(outputs, (8, 16, 32, 64)))
    statistics = outputs.statistics(origin)
    hint = (
        "The best was selected from 4 configurations on one seed each, so its lead is flattered; "
        f"`python -m cifar_exp.train confirm.sweep='{origin}'` trains the best 3 on fresh seeds."
    )
    assert confirm_hint(statistics) == hint
    assert hint in cautions(statistics)


def test_a_few_configurations_are_all_confirmed(outputs) -> None:
    hint = confirm_hint(outputs.statistics(outputs.sweep("mine", grid(outputs, (8, 16)))))
    assert hint is not None
    assert hint.endswith("sweeps/mine` trains them on fresh seeds.")


def test_nothing_else_is_told_to_be_confirmed(outputs) -> None:
    one = outputs.sweep("one", grid(outputs, (8,)))
    several = outputs.sweep("several", grid(outputs, (16, 32), seeds=2))
    cuda = [outputs.run(val=0.5, model__width=3, compute={"device": "cuda"})]
    mixed = outputs.sweep("mixed", [*grid(outputs, (4, 5)), *cuda])
    made = grid(outputs, (6, 7))
    confirmed = outputs.sweep("confirmed", made)
    fresh = runs(outputs, 7, (0.1,), start=5)
    confirming = outputs.confirming(confirmed, {"width=7": (made[1:], fresh)})
    for folder in (one, several, mixed, confirmed, confirming):
        assert [confirm_hint(each) for each in outputs.all_statistics(folder)] == [None] * (
            2 if folder == mixed else 1
        )
    for run in grid(outputs, (20, 21)):
        assert confirm_hint(outputs.all_statistics(run)[0]) is None
