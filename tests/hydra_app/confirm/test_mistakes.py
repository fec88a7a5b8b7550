"""Mistakes in a command that confirms a sweep: a sentence each, and nothing is written."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_exp.sweeps.plan import Plan

MistakesIn = Callable[..., list[str]]
Pretend = Callable[..., Plan]
LINES = {
    "confirm.tpo=2": "confirm.tpo: no such setting or group; did you mean confirm.top?",
    "confirm.top=0": "confirm.top=0: must be an integer in [1, 1000]",
    "confirm.seeds=-1": "confirm.seeds=-1: must be an integer in [1, 1000]",
    "confirm.seeds=2,3": "confirm.seeds=2,3: takes one value at a time",
    "confirm.top=5": (
        "confirm.top=5: must be at most 4, the number of configurations with a completed run"
    ),
    "confirm.baseline=width=3": "confirm.baseline=width=3: no completed run matches",
    "confirm.baseline=lr=1": (
        "confirm.baseline=lr=1: lr did not vary here (what varied: width, dropout)"
    ),
    "--multirun": "--multirun: confirm.sweep makes a sweep of its own; leave it out",
    "sweep=seeds": "sweep=seeds: confirm.sweep makes a sweep of its own; leave it out",
    "hydra/sweeper=basic": (
        "hydra/sweeper=basic: confirm.sweep makes a sweep of its own; leave it out"
    ),
    "model.width=8": (
        "model.width=8: confirm.sweep trains configurations as they were selected; leave it out"
    ),
    "seed=7": "seed=7: confirm.sweep trains configurations as they were selected; leave it out",
    "experiment=notebook": (
        "experiment=notebook: confirm.sweep trains configurations as they were selected; "
        "leave it out"
    ),
}


@pytest.fixture(autouse=True)
def _unchanged(origin: Plan) -> Iterator[None]:  # noqa: ARG001, made before it is looked at
    """A mistake leaves nothing behind."""
    before = sorted(Path().rglob("*"))
    yield
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("line", LINES)
def test_a_mistake_beside_the_sweep_is_a_sentence(
    origin: Plan, mistakes_in: MistakesIn, line: str
) -> None:
    assert mistakes_in(f"confirm.sweep={origin.folder}", line) == [LINES[line]]


def test_all_that_does_not_go_together_is_said_at_once(
    origin: Plan, mistakes_in: MistakesIn
) -> None:
    wrong = ("--multirun", "sweep=seeds", "optimizer=adam", "model.width=2,4")
    found = mistakes_in(f"confirm.sweep={origin.folder}", *wrong)
    assert [sentence.partition(":")[0] for sentence in found] == list(wrong)


def test_words_about_a_sweep_need_one(mistakes_in: MistakesIn) -> None:
    assert mistakes_in("confirm.top=2", "confirm.seeds=3", "model=tiny") == [
        "confirm.top=2: goes with confirm.sweep=outputs/sweeps/NAME",
        "confirm.seeds=3: goes with confirm.sweep=outputs/sweeps/NAME",
    ]


@pytest.mark.parametrize("start", ["", "outputs/sweeps/"])
def test_the_nearest_sweep_is_named(origin: Plan, mistakes_in: MistakesIn, start: str) -> None:
    typed = start + origin.name.replace("width", "widht")
    assert mistakes_in(f"confirm.sweep={typed}") == [
        f"confirm.sweep={typed}: there is no such sweep; did you mean {origin.folder}?"
    ]


def test_what_is_no_sweep_is_said(origin: Plan, mistakes_in: MistakesIn) -> None:
    such = f"; give a folder in outputs/sweeps, such as {origin.folder}"
    assert mistakes_in("confirm.sweep=zzz") == [f"confirm.sweep=zzz: there is no such sweep{such}"]
    assert mistakes_in("confirm.sweep=outputs/runs") == [
        f"confirm.sweep=outputs/runs: is not a sweep's folder{such}"
    ]


def test_a_sweep_of_another_outputs_folder_is_confirmed_there(
    origin: Plan, mistakes_in: MistakesIn, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        path = here / origin.folder
        (sentence,) = mistakes_in(f"confirm.sweep={path}")
        assert sentence.endswith(
            f": is not in the outputs folder here; run the command in {here.resolve()}"
        )
        assert mistakes_in("confirm.sweep=mine") == [
            "confirm.sweep=mine: there is no such sweep; there are none in outputs/sweeps yet"
        ]
