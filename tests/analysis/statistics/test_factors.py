"""Factors and their levels, found from the runs."""

from typing import Any

import pandas as pd
import pytest

from cifar_exp.analysis.load.frames import exact_text
from cifar_exp.analysis.statistics.factors import find_factors, short_names

ABSENT = object()


def varied(**columns: list[Any]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    texts = {
        key.replace("__", "."): [None if value is ABSENT else exact_text(value) for value in values]
        for key, values in columns.items()
    }
    frame = pd.DataFrame(texts)
    found = find_factors(frame, list(frame.columns))
    return [(f.name, f.levels, f.aliased) for f in found]


def test_only_settings_that_differ_are_factors_and_levels_are_ascending() -> None:
    found = varied(model__width=[16, 8, 32, 8], model__depth=[2, 2, 2, 2])
    assert found == [("width", ("8", "16", "32"), ())]


def test_numbers_are_ordered_as_numbers_and_words_as_words() -> None:
    assert varied(optimizer__lr=[0.1, 1e-05, 10.0, 0.02])[0][1] == ("1e-05", "0.02", "0.1", "10")
    assert varied(x__y=["b", "a"])[0][1] == ("a", "b")
    assert varied(x__y=[True, False])[0][1] == ("false", "true")
    assert varied(x__y=[0.1, ABSENT])[0][1] == ("-", "0.1")


def test_a_setting_that_follows_an_option_is_not_a_factor() -> None:
    found = varied(
        optimizer__weight_decay=[5e-4, 5e-4, 0.0, 0.0],
        optimizer__name=["sgd", "sgd", "adam", "adam"],
        optimizer__lr=[0.2, 0.4, 0.002, 0.005],
        optimizer__momentum=[0.9, 0.9, ABSENT, ABSENT],
    )
    assert found == [
        ("optimizer", ("adam", "sgd"), ("optimizer.weight_decay", "optimizer.momentum")),
        ("lr", ("0.002", "0.005", "0.2", "0.4"), ()),
    ]


def test_settings_that_always_change_together_are_one_factor() -> None:
    assert varied(model__width=[8, 16, 32], optimizer__lr=[0.4, 0.3, 0.2]) == [
        ("width", ("8", "16", "32"), ("optimizer.lr",))
    ]


def test_settings_drawn_at_random_are_separate_factors() -> None:
    lr = [0.013 * i**2 + 0.1 for i in range(20)]
    decay = [((i * 7) % 20) * 1e-4 for i in range(20)]
    assert [name for name, *_ in varied(optimizer__lr=lr, optimizer__weight_decay=decay)] == [
        "lr",
        "weight_decay",
    ]


def test_long_numbers_are_shortened_as_far_as_they_stay_different() -> None:
    assert varied(optimizer__lr=[0.123456789, 0.2])[0][1] == ("0.1235", "0.2")
    assert varied(optimizer__lr=[0.123456, 0.123457])[0][1] == ("0.123456", "0.123457")


def test_names_are_short_where_they_stay_different() -> None:
    keys = ["model.width", "model.name", "optimizer.lr", "other.lr", "init_from"]
    assert list(short_names(keys).values()) == [
        "width",
        "model",
        "optimizer.lr",
        "other.lr",
        "init_from",
    ]


@pytest.mark.parametrize("runs", [0, 1])
def test_one_run_or_none_has_no_factors(runs: int) -> None:
    assert varied(model__width=[8] * runs) == []


def test_models_chosen_by_name_are_one_factor_with_the_names_as_levels(outputs: Any) -> None:
    for seed in range(3):
        for label, width, depth in (("tiny", 8, 1), ("notebook", 32, 3)):
            sizes = {"model__width": width, "model__depth": depth}
            value = 0.3 + width / 100 + seed / 1000
            outputs.run(seed=seed, val=value, label=label, optimizer__lr=1 / width, **sizes)
    statistics = outputs.statistics()
    (factor,) = statistics.factors
    assert (factor.key, factor.name) == ("label", "model")
    assert factor.levels == ("notebook", "tiny")
    assert factor.aliased == ("model.width", "model.depth", "optimizer.lr")
    assert list(statistics.summary["configuration"]) == ["model=notebook", "model=tiny"]
    (row,) = statistics.effects.to_dict("records")
    assert (row["name"], row["level"], row["reference"]) == ("model", "tiny", "notebook")
    assert outputs.statistics(baseline="model=tiny").baseline == "model=tiny"


def test_a_class_of_your_own_is_named_by_its_option(outputs: Any) -> None:
    names = (("tiny", "convnet"), ("mine", "package.Mine"))
    runs = [outputs.run(val=0.5, label=label, model__name=name) for label, name in names]
    (factor,) = outputs.statistics(outputs.sweep("both", runs)).factors
    assert (factor.name, factor.levels) == ("model", ("mine", "tiny"))


def test_models_that_differ_in_one_setting_are_compared_by_it(outputs: Any) -> None:
    for label, width in (("tiny", 8), ("wide", 32)):
        outputs.run(val=0.5, label=label, model__width=width)
    (factor,) = outputs.statistics().factors
    assert (factor.name, factor.levels) == ("width", ("8", "32"))


def test_a_width_that_varies_within_a_model_stays_a_factor(outputs: Any) -> None:
    for label, depth in (("tiny", 1), ("deep", 3)):
        for width in (8, 16):
            sizes = {"model__width": width, "model__depth": depth, "model__kernel": depth}
            outputs.run(val=0.5, label=label, **sizes)
    names = [factor.name for factor in outputs.statistics().factors]
    assert names == ["model", "width"]
