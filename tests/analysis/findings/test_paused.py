"""What is said of paused runs: how many, at which epochs, and what can no longer be concluded."""

from dataclasses import replace
from typing import Any

import numpy as np

from cifar_exp.analysis.findings.cautions import cautions
from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.load.search import SearchInput


def add_search(outputs: Any, *, paused_below: float, runs: int = 40) -> None:
    """Random rates and widths; runs with rates below a limit were paused after epoch 1 or 2."""
    random = np.random.default_rng(3)
    for i in range(runs):
        lr, width = float(f"{10 ** random.uniform(-3, 0):.4g}"), int(random.integers(8, 49))
        val = 0.6 - 0.1 * (np.log10(lr) + 1) ** 2 + 0.001 * width + random.normal(0, 0.002)
        is_paused = lr < paused_below
        how = {"status": "pruned", "done": 1 + i % 2} if is_paused else {}
        outputs.run(run_id=f"{i:010d}", val=val, optimizer__lr=lr, model__width=width, **how)


def texts_about(outputs: Any, claim: str) -> list[str]:
    return [f.text for f in findings(outputs.statistics()) if f.claim == claim]


def test_how_many_were_paused_and_when_is_said_with_what_it_selects(outputs: Any) -> None:
    add_search(outputs, paused_below=0.02)
    statistics = outputs.statistics()
    paused = statistics.runs[statistics.runs["status"] == "pruned"]
    first = int((paused["epochs_done"] == 1).sum())
    (text,) = (each for each in cautions(statistics) if "paused early" in each)
    rest = 40 - len(paused)
    assert text == (
        f"{len(paused)} of 40 configurations were paused early ({first} after epoch 1 and "
        f"{len(paused) - first} after epoch 2 of 3): paused runs enter no mean, and what is said "
        f"of the settings is said of the {rest} trained to the end, which are those that did well "
        "early."
    )
    (best,) = texts_about(outputs, "best")
    assert best.startswith(f"Best of {40 - len(paused)} trained to the end: ")
    assert any("seems less important than it is" in each for each in cautions(statistics))


def test_with_one_whole_run_there_is_nothing_to_compare(outputs: Any) -> None:
    outputs.run(model__width=8)
    outputs.run(status="pruned", done=1, model__width=16)
    (text,) = (each for each in cautions(outputs.statistics()) if "paused early" in each)
    assert text == (
        "1 of 2 configurations was paused early (after epoch 1 of 3): paused runs enter no mean, "
        "and with only one trained to the end, the settings cannot be compared."
    )


def test_values_that_were_paused_are_not_called_untried(outputs: Any) -> None:
    add_search(outputs, paused_below=0.1, runs=60)
    (text,) = (each for each in texts_about(outputs, "region") if each.startswith("Lr"))
    assert text.startswith("Lr from 0.")
    assert text.endswith(" Lower values were tried, but no run completed.")


def test_a_level_whose_runs_were_paused_is_not_said_to_have_failed(outputs: Any) -> None:
    for seed in range(3):
        outputs.run(seed=seed, model__width=8)
        outputs.run(seed=seed, status="pruned", done=1, model__width=64)
    for seed in (3, 4):
        outputs.run(seed=seed, status="failed", error="x", model__width=64)
    texts = texts_about(outputs, "completion")
    assert texts == ["2 of 5 runs with width=64 failed, and none with any other width."]


def test_means_without_the_seeds_that_were_paused_are_called_flattered(outputs: Any) -> None:
    for seed in range(3):
        outputs.run(seed=seed, model__width=8)
        outputs.run(seed=seed, model__width=16)
    outputs.run(seed=3, status="pruned", done=1, model__width=8)
    assert (
        "Further seeds of width=8 were paused for being behind, so what is left of their seeds "
        "flatters them."
    ) in cautions(outputs.statistics())


def test_a_race_of_seeds_is_no_fair_comparison(outputs: Any) -> None:
    folders = [outputs.run(seed=seed, val=0.5, model__width=8) for seed in range(3)]
    folders.append(outputs.run(val=0.4, model__width=16))
    statistics = outputs.statistics(outputs.sweep("search", folders))
    assert not any("kept up" in each for each in cautions(statistics))
    sweep = replace(statistics.group.sweep, search=SearchInput("tpe", has_cost=False))
    statistics.group = replace(statistics.group, sweep=sweep)
    assert sum("only to configurations that kept up" in each for each in cautions(statistics)) == 1


def test_a_search_of_which_all_runs_were_paused_says_so(outputs: Any) -> None:
    for width in (8, 16):
        outputs.run(status="pruned", done=1, model__width=width)
    assert texts_about(outputs, "completion") == ["2 runs were paused, and none completed."]


def test_the_reason_of_a_paused_run_is_where_it_stopped(outputs: Any) -> None:
    outputs.run(status="pruned", done=2, epochs=27)
    (reason,) = outputs.statistics().runs["reason"]
    assert reason.startswith("paused after epoch 2 by asha")
