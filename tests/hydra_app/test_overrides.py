from collections.abc import Iterator
from typing import Any

import pytest
from hydra.core.config_loader import ConfigLoader

from cifar_exp.errors import UserError
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer
from cifar_exp.hydra_app.overrides import params_lines, parse_override, parse_paired

PAIRED_FORM = (
    "must be a list of settings that move together, "
    "as [{model.width: 16, optimizer.lr: 0.4}, {model.width: 64, optimizer.lr: 0.2}]"
)


@pytest.fixture(scope="module")
def loader() -> Iterator[ConfigLoader]:
    with open_composer(parse_arguments([])) as composer:
        yield composer.config_loader


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("seed=3", [3]),
        ("seed=0,1,2", [0, 1, 2]),
        ("seed=choice(4,2)", [4, 2]),
        ("seed=range(1,7,2)", [1, 3, 5]),
        ("optimizer.lr=range(0.5,2,0.5)", [0.5, 1.0, 1.5]),
        ("seed=sort(3,1,2)", [1, 2, 3]),
        ("seed=sort(3,1,2,reverse=true)", [3, 2, 1]),
        ("seed=tag(a,choice(1,2))", [1, 2]),
        ("model=glob(*e)", ["base", "wide"]),
        ("model=glob([t*,d*])", ["deep", "tiny"]),
        ("model=glob(*,exclude=[*e,r*,n*])", ["deep", "tiny"]),
        ("keep=all,none", ["all", "none"]),
        ("trainer.gradient_clip=null,1", [None, 1]),
        ("scheduler.milestones=[0.5],[0.25,0.75],[]", [[0.5], [0.25, 0.75], []]),
        ("+model.block={kind:a},{kind:b}", [{"kind": "a"}, {"kind": "b"}]),
        ("data.root='a,b','c d'", ["a,b", "c d"]),
        ("data.root='a,b'", ["a,b"]),
        ("init_from='12e4567890','0123456789'", ["12e4567890", "0123456789"]),
        ("data.root=${oc.env:A,b},here", ["${oc.env:A,b}", "here"]),
    ],
)
def test_an_override_gives_the_values_of_its_key_in_order(
    loader: ConfigLoader, line: str, values: list[Any]
) -> None:
    parsed = parse_override(line, loader)
    assert [value.value for value in parsed.values] == values
    assert {value.key for value in parsed.values} == {line.partition("=")[0].removeprefix("+")}
    assert {value.line for value in parsed.values} == {parsed.line} == {line}


@pytest.mark.parametrize(
    "line",
    [
        "seed=0,1,2",
        "++seed=range(0,3)",
        "+model.block={kind:a},{kind:'b c'}",
        "scheduler.milestones=[0.5],[0.25,0.75]",
        "data.root='a,b','c d',plain",
        "init_from='12e4567890','0123456789'",
        "trainer.gradient_clip=null,1.5",
    ],
)
def test_the_text_of_each_value_parses_to_that_value(loader: ConfigLoader, line: str) -> None:
    for value in parse_override(line, loader).values:
        (alone,) = parse_override(value.text, loader).values
        assert (alone.key, alone.value) == (value.key, value.value)
        assert value.text.partition("=")[0] == line.partition("=")[0]


def test_values_in_a_sweep_file_become_lines_of_the_command() -> None:
    params = {
        "seed": "0,1",
        "model.width": 8,
        "trainer.gradient_clip": None,
        "trainer.compile": True,
        "scheduler.milestones": [0.25, 0.5],
    }
    assert params_lines(params) == [
        "seed=0,1",
        "model.width=8",
        "trainer.gradient_clip=null",
        "trainer.compile=True",
        "scheduler.milestones=[0.25,0.5]",
    ]


def test_paired_settings_are_read_step_by_step(loader: ConfigLoader) -> None:
    paired = [
        {"optimizer": "sgd", "optimizer.lr": 0.4},
        {"model": {"width": 8, "depth": 3}, "scheduler.milestones": [0.5, 0.75], "keep": None},
        {"data.root": "a, b = (c) [d]"},
    ]
    steps = [
        [(parsed.key, value.value) for parsed in step for value in parsed.values]
        for step in parse_paired(paired, loader)
    ]
    assert steps == [
        [("optimizer", "sgd"), ("optimizer.lr", 0.4)],
        [
            ("model.width", 8),
            ("model.depth", 3),
            ("scheduler.milestones", [0.5, 0.75]),
            ("keep", None),
        ],
        [("data.root", "a, b = (c) [d]")],
    ]


@pytest.mark.parametrize(
    ("paired", "shown"),
    [
        (3, "3"),
        ("seed", "seed"),
        ({"seed": 1}, '{"seed": 1}'),
        ([1], "[1]"),
        ([{"seed": 1}, {}], '[{"seed": 1}, {}]'),
        ([["seed", 1]], '[["seed", 1]]'),
    ],
)
def test_paired_that_is_not_a_list_of_settings_is_a_mistake(
    loader: ConfigLoader, paired: Any, shown: str
) -> None:
    with pytest.raises(UserError) as caught:
        parse_paired(paired, loader)
    assert caught.value.messages == [f"hydra.sweeper.paired={shown}: {PAIRED_FORM}"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("seed", "seed: not of the form key=value"),
        ("seed=range(3,3)", "seed=range(3,3): lists no value"),
        ("model=glob(q*)", "model=glob(q*): lists no value"),
    ],
)
def test_an_override_without_values_is_a_mistake(
    loader: ConfigLoader, line: str, sentence: str
) -> None:
    with pytest.raises(UserError) as caught:
        parse_override(line, loader)
    assert caught.value.messages == [sentence]
