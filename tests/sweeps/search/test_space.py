from itertools import product

import pytest

from cifar_exp.sweeps.search.space import Dimension, Space

RATE = Dimension("optimizer.lr", "float", 1e-4, 0.1, is_log=True)
WIDTH = Dimension("model.width", "int", 8, 40, step=8)
DROPOUT = Dimension("model.dropout", "float", 0.0, 0.3, step=0.1)
POOL = Dimension("model.pool", "choice", choices=("max", "average", 2))

EACH_ITS_RATES = Space(
    dimensions=(
        Dimension("optimizer", "choice", choices=("sgd", "adamw")),
        Dimension("optimizer.lr", "float", 0.05, 2.0, is_log=True, when=("optimizer", "sgd")),
        Dimension("optimizer.lr", "float", 3e-4, 0.03, is_log=True, when=("optimizer", "adamw")),
        Dimension("optimizer.beta2", "choice", choices=(0.99, 0.999), when=("optimizer", "adamw")),
    ),
    options={
        "optimizer": {
            "sgd": {"optimizer.name": "sgd", "optimizer.lr": 0.4, "optimizer.momentum": 0.9},
            "adamw": {"optimizer.name": "adamw", "optimizer.lr": 0.002, "optimizer.beta2": 0.99},
        }
    },
    fixed={"trainer.epochs": 8},
)


@pytest.mark.parametrize("value", [1e-4, 0.003, 0.1, 0])
def test_an_interval_holds_both_of_its_ends(value: float) -> None:
    assert RATE.contains(value) == (value != 0)


@pytest.mark.parametrize("value", [None, "0.01", True, float("nan"), [0.01]])
def test_an_interval_holds_nothing_but_numbers(value: object) -> None:
    assert not RATE.contains(value)


def test_a_range_holds_its_steps_alone() -> None:
    assert [width for width in range(60) if WIDTH.contains(width)] == [8, 16, 24, 32, 40]
    assert all(DROPOUT.contains(value) for value in (0.0, 0.1, 0.2, 0.1 + 0.2))
    assert not DROPOUT.contains(0.15)


def test_a_choice_does_not_take_true_for_one() -> None:
    assert Dimension("n", "choice", choices=(1, 2)).contains(1)
    assert not Dimension("n", "choice", choices=(1, 2)).contains(True)


def test_a_space_of_ranges_and_choices_has_as_many_configurations_as_their_product() -> None:
    widths = [width for width in range(60) if WIDTH.contains(width)]
    drops = [tenth for tenth in range(10) if DROPOUT.contains(tenth / 10)]
    expected = len(list(product(widths, drops, POOL.choices)))
    assert Space((WIDTH, DROPOUT, POOL)).size() == expected


def test_a_space_with_an_interval_of_real_numbers_has_no_number_of_configurations() -> None:
    assert Space((WIDTH, RATE)).size() is None
    assert EACH_ITS_RATES.size() is None


def test_the_ranges_of_an_option_count_only_where_it_is_chosen() -> None:
    space = Space(
        (
            Dimension("optimizer", "choice", choices=("sgd", "adamw", "adam")),
            Dimension(
                "optimizer.momentum", "choice", choices=(0.8, 0.9), when=("optimizer", "sgd")
            ),
            Dimension("optimizer.epochs", "int", 1, 5, when=("optimizer", "adamw")),
        )
    )
    assert space.size() == 2 + 5 + 1


def test_the_values_of_a_run_are_found_in_its_params() -> None:
    params = {
        "seed": 3,
        "trainer.epochs": 8,
        "optimizer.name": "adamw",
        "optimizer.lr": 0.01,
        "optimizer.beta2": 0.999,
    }
    found = {"optimizer": "adamw", "optimizer.lr": 0.01, "optimizer.beta2": 0.999}
    assert EACH_ITS_RATES.values_of(params) == found
    assert EACH_ITS_RATES.contains(params)


@pytest.mark.parametrize(
    "other",
    [
        {"optimizer.lr": 0.5},  # among the rates of sgd, but not of adamw
        {"optimizer.beta2": 0.9},
        {"optimizer.name": "adam"},
        {"trainer.epochs": 9},
    ],
)
def test_a_run_that_differs_in_anything_else_lies_outside(other: dict[str, object]) -> None:
    inside = {"optimizer.name": "adamw", "optimizer.lr": 0.01, "optimizer.beta2": 0.999}
    assert EACH_ITS_RATES.contains(inside)
    assert not EACH_ITS_RATES.contains({**inside, **other})


def test_each_dimension_has_a_name_of_its_own() -> None:
    names = [dimension.name for dimension in EACH_ITS_RATES.dimensions]
    assert names[1] == "optimizer.lr (optimizer=sgd)"
    assert len(set(names)) == len(names)


def test_a_dimension_is_written_without_what_it_does_not_have() -> None:
    assert RATE.as_dict() == {
        "key": "optimizer.lr",
        "kind": "float",
        "low": 1e-4,
        "high": 0.1,
        "is_log": True,
    }
    assert POOL.as_dict() == {
        "key": "model.pool",
        "kind": "choice",
        "choices": ["max", "average", 2],
    }
    assert DROPOUT.as_dict()["low"] == 0.0
