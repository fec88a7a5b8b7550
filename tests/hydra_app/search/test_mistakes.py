"""Every mistake in a search is found before any work."""

from collections.abc import Callable

import pytest

ErrorsOf = Callable[..., list[str]]

SEARCH = ("--multirun", "search=tpe", "search.runs=4")
RATE = "optimizer.lr=tag(log,interval(0.02,1.0))"
WIDTHS = "model.width=8,16"
SAMPLERS = "search may be cmaes, quasirandom, random, tpe"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("optimizer.lr=interval(-1,1)", "optimizer.lr=-1.0: must be a number > 0"),
        ("model.dropout=0,1.5", "model.dropout=1.5: must be a number in [0, 1)"),
        ("model.width=interval(8.5,20)", "{line}: takes integers only"),
        ("model.width=range(8,16,0.5)", "{line}: takes integers only"),
        ("optimizer.lr=interval(1,0.1)", "{line}: its first end must be below the second"),
        ("optimizer.lr=interval(0.1,1e999)", "{line}: its ends must be finite"),
        (
            "optimizer.lr=tag(log,interval(0,1))",
            "{line}: the logarithm needs a lower end above 0",
        ),
        (
            "optimizer.lr=tag(lg,interval(0.1,1))",
            "{line}: the only tag is log, as in tag(log,interval(1e-4,0.1))",
        ),
        (
            "model.width=tag(log,range(8,48,8))",
            "{line}: a step does not go with tag(log, ...); use an interval",
        ),
        (
            "optimizer.lr=tag(log,choice(0.1,1))",
            "{line}: tag(log, ...) goes with an interval or a range",
        ),
        (
            "optimizer.lrr=interval(0.1,1)",
            "optimizer.lrr: no such setting; did you mean optimizer.lr?",
        ),
        (
            "optimizer=sgd,adamm",
            "optimizer=adamm: no such option; optimizer may be adam, adamw, muon, sgd; "
            "did you mean adam?",
        ),
        (
            "seed=0,1",
            "{line}: a search begins with one seed; search.seeds=2 trains each configuration "
            "with 2",
        ),
        (
            "trainer.threads=1,2",
            "{line}: cannot be searched, because it does not change a run's result",
        ),
        (
            "optimizer.sgd.lr=interval(0.1,1)",
            "{line}: goes with several options of the group, as optimizer=...,sgd; otherwise "
            "write optimizer.lr",
        ),
        (
            "model.width=8",
            "a search has nothing to search; give it intervals or lists, as "
            "'optimizer.lr=tag(log,interval(0.02,1))' model.width=16,32",
        ),
        (
            f"hydra/launcher=basic {RATE}",
            "a search does not go with this launcher, which would let it wait for whole batches; "
            "hydra/launcher may be local, slurm, ray",
        ),
        (
            f"hydra/sweeper=basic {RATE}",
            "a search does not go with hydra/sweeper: leave the sweeper out",
        ),
    ],
)
def test_a_mistake_in_a_search_is_told_in_one_sentence(
    errors_of: ErrorsOf, line: str, sentence: str
) -> None:
    assert errors_of(*SEARCH, *line.split()) == [sentence.format(line=line)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("optimizer.adam.lr=interval(0.1,1)", "adam is not in optimizer=sgd,adamw"),
        ("optimizer.lr=0.1 optimizer.sgd.lr=interval(0.1,1)", "optimizer.lr=0.1 is given too"),
        (
            "optimizer.momentum=interval(0.8,0.9)",
            "optimizer=adamw has no such setting; write optimizer.sgd.momentum to set it where "
            "optimizer=sgd is chosen",
        ),
    ],
)
def test_a_mistake_in_the_settings_of_an_option_is_told(
    errors_of: ErrorsOf, line: str, sentence: str
) -> None:
    words = line.split()
    assert errors_of(*SEARCH, "optimizer=sgd,adamw", *words) == [f"{words[-1]}: {sentence}"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("optimizer.lr=5", "must be in [0.02, 1.0]"),
        ("lr=high", "must be in [0.02, 1.0]"),
        ("optimizer.l=0.1", "is not searched; did you mean optimizer.lr?"),
        ("0.1", "must be settings of the space, such as 'optimizer.lr=0.1 model.width=16'"),
    ],
)
def test_a_prior_outside_the_space_is_a_mistake(
    errors_of: ErrorsOf, line: str, sentence: str
) -> None:
    found = errors_of(*SEARCH, RATE, f"search.near='{line}'")
    assert found == [f"search.near={line}: {sentence}"]


def test_a_search_without_an_end_needs_a_limit(errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "search=tpe", RATE) == [
        "search=tpe: its space has no end; set search.runs=40, search.budget_minutes or "
        "search.budget_pflop"
    ]


def test_a_search_makes_several_runs(errors_of: ErrorsOf) -> None:
    several = "several values make several runs; add --multirun"
    assert errors_of("search=tpe", RATE) == [f"{RATE}: {several}"]
    assert errors_of("search=tpe") == ["a search makes several runs; add --multirun"]


def test_words_of_a_search_do_not_go_with_a_grid(errors_of: ErrorsOf) -> None:
    line = ["--multirun", "model.width=8,16", "search.runs=4", "search.seed=1"]
    assert errors_of(*line) == [
        f"search.runs=4: goes with a search; {SAMPLERS}",
        f"search.seed=1: goes with a search; {SAMPLERS}",
    ]


def test_settings_of_one_option_do_not_go_with_a_grid(errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "optimizer=sgd,adamw", "optimizer.sgd.lr=0.1,0.2") == [
        "optimizer.sgd.lr=0.1,0.2: a setting of one option goes with a search; in a grid, "
        "hydra.sweeper.paired lists settings that move together"
    ]


def test_a_sampler_that_does_not_exist_is_told_once(errors_of: ErrorsOf) -> None:
    (found,) = errors_of("--multirun", "search=tpe2", "search.runs=4", "model.width=8,16")
    assert found.endswith("did you mean tpe?")


def test_a_search_confirms_nothing(errors_of: ErrorsOf) -> None:
    assert errors_of("search=tpe", "confirm.sweep=mine") == [
        "a search does not go with confirm.sweep, which trains what a sweep has selected"
    ]


def test_paired_settings_of_a_sweep_file_do_not_go_with_a_search(errors_of: ErrorsOf) -> None:
    (found,) = errors_of("sweep=optimizers", "search=tpe", "search.runs=4", "seed=0", WIDTHS)
    assert found.startswith("hydra.sweeper.paired: goes with a grid; a search takes optimizer=sgd")
