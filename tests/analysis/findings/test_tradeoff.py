"""A search that was asked for accuracy and compute names its Pareto front."""

from dataclasses import replace
from typing import Any

from cifar_exp.analysis.findings.collect import findings
from cifar_exp.analysis.load.search import read_search


def fronts(outputs: Any, objective: str, results: list[tuple[float, float]]) -> list[str]:
    """What is said of a search of configurations with these accuracies and PFLOP."""
    folders = [
        outputs.run(val=val, compute={"pflop": pflop}, model__width=10 + i)
        for i, (val, pflop) in enumerate(results)
    ]
    statistics = outputs.statistics(outputs.sweep("search", folders))
    search = read_search({"sampler": "tpe", "objective": objective})
    sweep = replace(statistics.group.sweep, search=search)
    statistics.group = replace(statistics.group, sweep=sweep)
    return [f.text for f in findings(statistics) if f.claim == "front"]


def test_what_is_cheaper_or_better_than_all_others_is_on_the_front(outputs: Any) -> None:
    (text,) = fronts(outputs, "accuracy_and_pflop", [(0.5, 1), (0.6, 2), (0.55, 3), (0.7, 4)])
    assert text == (
        "On the Pareto front of 4 configurations: width=10 (50.00 % for 1 PFLOP), width=11 "
        "(60.00 % for 2 PFLOP) and width=13 (70.00 % for 4 PFLOP): nothing cheaper is as good; "
        "with one seed each, which ones these are is partly luck."
    )


def test_of_a_long_front_the_ends_are_named(outputs: Any) -> None:
    (text,) = fronts(outputs, "accuracy_and_pflop", [(0.5 + i / 100, 1 + i) for i in range(8)])
    assert text.startswith(
        "8 of 8 configurations are on the Pareto front, from width=10 (50.00 % for 1 PFLOP) to "
        "width=17 (57.00 % for 8 PFLOP): "
    )


def test_a_search_for_accuracy_alone_has_no_front(outputs: Any) -> None:
    assert fronts(outputs, "accuracy", [(0.5, 1), (0.6, 2)]) == []


def test_a_sweep_without_a_sampler_is_no_search() -> None:
    assert read_search(None) is None
    assert read_search({"sampler": "none"}) is None
    assert read_search("tpe") is None
