"""Values applied to a composed config, against the whole composition by Hydra."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from cifar_exp.errors import UserError
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import ComposedConfig, open_composer

Values = list[tuple[str, Any]]

FILES = {
    "model/mine": "_target_: mine.Net\nwidth: 3\nblock: {kind: a, sizes: [1, 2], deep: {x: 1}}\n",
    "model/tied": "defaults: [base, _self_]\nwidth: 6\ndepth: ${model.stages}\n"
    "head_width: ${model.width}\n",
    "trainer/tied": "defaults: [default, _self_]\nepochs: ${model.width}\n"
    "batch_size: ${seed}\nlabel_smoothing: ${oc.env:NO_SUCH_VARIABLE,${model.dropout}}\n",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    for name, text in FILES.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def compose(own: Path) -> Callable[..., ComposedConfig]:
    """The config of a combination of options, of ours and of the user's own."""

    @cache
    def composed(*options: str) -> ComposedConfig:
        with open_composer(parse_arguments(["--config-dir", str(own)])) as compose:
            return ComposedConfig(compose.compose(options))

    return composed


def as_typed(values: Values) -> list[str]:
    """The overrides that say the same to Hydra."""
    return [f"++{key}={_typed(value)}" for key, value in values]


def _typed(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_typed(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_typed, value)) + "]"
    if isinstance(value, str):
        return f"'{value}'"
    return {None: "null", True: "true", False: "false"}.get(value, repr(value))


# Options, and the values that are applied to them.
LAID: list[tuple[list[str], Values]] = [
    ([], [("seed", 7), ("model.width", 5), ("trainer.epochs", 1), ("model.width", 9)]),
    (
        ["scheduler=step"],
        [("scheduler.milestones", [0.25]), ("trainer.resolution_scales", []), ("keep", "all")],
    ),
    (["model=mine"], [("model.block.kind", "b"), ("model.block.deep.x", None), ("model.new", 1)]),
    (["model=mine"], [("model.head.inner.rate", 0.5), ("model.block.kind.below", True)]),
    (["model=mine"], [("model.block", {"kind": "c", "more": {"y": [1, {"z": 2}]}})]),
    (["model=mine"], [("model.block.deep", None), ("model.block.sizes", [[3], {"a": "b, c"}])]),
    (["model=mine"], [("model.block", "plain"), ("model.width", [1, 2, 3])]),
    (["model=base"], [("model.width", "${model.depth}"), ("model.depth", 5)]),
    (["model=mine"], [("model.block.sizes", ["${seed}", "${model.width}"]), ("seed", 11)]),
    (["model=mine"], [("model.width", {"from": "${seed}"})]),
    (["model=tied"], [("model.width", 12), ("model.stages", 3)]),
    (["model=tied"], [("model.head_width", 4)]),
    (["model=tied", "trainer=tied"], [("model.width", 8), ("seed", 64), ("model.dropout", 0.5)]),
    ([], [("data.root", "${oc.env:NO_SUCH_VARIABLE,there}/${seed}"), ("seed", 3)]),
]


@pytest.mark.slow
@pytest.mark.parametrize(("options", "values"), LAID, ids=str)
def test_values_applied_to_a_composed_config_give_what_composing_gives(
    compose: Callable,
    hydra_composes: Callable,
    own: Path,
    options: list[str],
    values: Values,
) -> None:
    found = compose(*options).updated(values)
    whole = hydra_composes(*options, *as_typed(values), own=own)
    assert found == OmegaConf.to_container(whole, resolve=True)


def test_values_of_one_trial_do_not_change_the_next(compose: Callable) -> None:
    for option in ("mine", "tied"):
        composed = compose(f"model={option}")
        before = composed.updated([])
        composed.updated([("model.width", 99), ("model.block.sizes", [9]), ("seed", 99)])
        composed.updated([("model.width", {"a": "${seed}"})])
        assert composed.updated([]) == before
        assert composed.updated([("seed", 1)]) == {**before, "seed": 1}


def test_the_order_of_values_on_different_keys_does_not_matter(compose: Callable) -> None:
    composed = compose("model=tied")
    values = [("model.width", 12), ("seed", 3), ("model.head_width", "${seed}")]
    found = composed.updated(values)
    assert found == composed.updated(values[::-1])
    assert (found["model"]["width"], found["model"]["head_width"]) == (12, 3)


def test_the_environments_folder_needs_no_second_composition(
    compose: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_EXP_DATA", "/of/the/environment")
    composed = compose("data=cifar100")
    monkeypatch.delattr("cifar_exp.hydra_app.compose.settings_tree")
    assert composed.updated([("seed", 4)])["data"]["root"] == "/of/the/environment"
    assert composed.updated([("data.root", "here")])["data"]["root"] == "here"


def test_the_label_is_the_models_option(compose: Callable) -> None:
    assert compose().label == "base"
    assert compose("model=mine").label == "mine"


@pytest.mark.parametrize("value", ["${trainer.nowhere}", "${model.width}"])
def test_a_value_that_refers_to_nothing_or_to_itself_is_a_mistake(
    compose: Callable, value: str
) -> None:
    composed = compose()
    with pytest.raises(UserError) as caught:
        composed.updated([("model.width", value)])
    (sentence,) = caught.value.messages
    assert sentence.startswith("model.width: ")
    assert "\n" not in sentence


def test_an_element_of_a_list_is_set_as_hydra_sets_it(
    compose: Callable[..., ComposedConfig],
) -> None:
    tree = compose("model=mine").updated([("model.block.sizes.0", 5)])
    assert tree["model"]["block"]["sizes"] == [5, 2]
