import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cifar_exp.config.validation import unknown_key, validate
from cifar_exp.errors import UserError

Mistakes = Callable[..., list[str]]
BASE_MODEL = Path(__file__).resolve().parents[2] / "conf" / "model" / "base.yaml"

# key, values that are refused, what is allowed
REFUSED = [
    ("seed", [-1, 2**32, 1.5, True, None, [1], {"a": 1}], "an integer in [0, 4294967296)"),
    ("data.split_seed", [-1, 2**32], "an integer in [0, 4294967296)"),
    ("data.val_fraction", [1, -0.01, 1.5, True, None], "a number in [0, 1)"),
    ("data.image_size", [7, 513, 32.5], "an integer in [8, 512]"),
    ("data.limit_train", [0, -3, False, 10**9 + 1], "an integer in [1, 1000000000] or null"),
    ("data.download", [2, 1, 0, -0.0, None, []], "true or false"),
    ("data.root", [None, []], "a non-empty string"),
    ("model.width", [0, 4097, None], "an integer in [1, 4096]"),
    ("model.growth", [0.99, 8.01], "a number in [1, 8]"),
    ("model.dropout", [1, 1.0, -0.1], "a number in [0, 1)"),
    ("augmentation.mixup", [-0.1], "a number >= 0"),
    ("augmentation.jitter", [1.1, -0.1], "a number in [0, 1]"),
    ("optimizer.lr", [0, -0.1, True], "a number > 0"),
    ("trainer.epochs", [0, 2.5, True, 10**6 + 1], "an integer in [1, 1000000]"),
    ("trainer.gradient_clip", [0, -1, True], "a number > 0 or null"),
    ("trainer.threads", [0, 2.5, True, None], "auto or an integer in [1, 1024]"),
    ("trainer.resolution_scales", [0.5, None, {"a": 1}], "a list, each a number in (0, 1]"),
    ("trainer.resolution_scales", [[0.5, 0], [2], [True]], "a list, each a number in (0, 1]"),
]
ACCEPTED = [
    ("seed", [0, 2**32 - 1]),
    ("data.val_fraction", [0, 0.999]),
    ("data.limit_train", [1, None]),
    ("model.width", [1, 4096]),
    ("model.growth", [1, 8]),
    ("model.dropout", [0, 0.999]),
    ("augmentation.jitter", [0, 1]),
    ("optimizer.lr", [1e-12, 1e9]),
    ("trainer.gradient_clip", [1e-9, None]),
    ("trainer.threads", ["auto", 1]),
    ("trainer.label_smoothing", [0]),
]


def each(table: list[Any]) -> list[Any]:
    return [(key, value, *rest) for key, values, *rest in table for value in values]


def flat(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key if name is None else f"{key}.{name}": value
        for key, group in values.items()
        for name, value in (group.items() if isinstance(group, dict) else [(None, group)])
    }


@pytest.mark.parametrize(("key", "value", "allowed"), each(REFUSED))
def test_the_error_of_a_wrong_value_names_its_key_and_what_is_allowed(
    mistakes: Mistakes, key: str, value: Any, allowed: str
) -> None:
    assert mistakes({key: value}) == [f"{key}={json.dumps(value)}: must be {allowed}"]


@pytest.mark.parametrize(("key", "value"), each(ACCEPTED))
def test_the_ends_of_a_range_that_belong_to_it_are_accepted(
    settings: Callable, key: str, value: Any
) -> None:
    found = settings({key: value})
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("seed", "first", "an integer in [0, 4294967296)"),
        ("data.root", "", "a non-empty string"),
        ("model.residual", "perhaps", "true or false"),
        ("model.activation", "tanh", "one of relu, leaky_relu, silu, gelu"),
        (
            "model.activation",
            "leaky",
            "one of relu, leaky_relu, silu, gelu; did you mean leaky_relu?",
        ),
        ("model.name", "resnet", "convnet"),
        ("keep", "wieghts", "one of weights, all, none; did you mean weights?"),
        (
            "data.name",
            "cifar",
            "one of cifar100, cifar10, folder, shapes; did you mean cifar10?",
        ),
        ("trainer.threads", "atuo", "auto or an integer in [1, 1024]; did you mean auto?"),
    ],
)
def test_the_error_of_a_wrong_name_has_no_quotes_and_suggests_the_nearest(
    mistakes: Mistakes, key: str, value: str, allowed: str
) -> None:
    found = mistakes({key: value})
    # a choice of one name may be described with or without "one of"
    assert [sentence.replace("one of convnet", "convnet") for sentence in found] == [
        f"{key}={value}: must be {allowed}"
    ]


def test_no_number_accepts_nan_or_infinity(tree: Callable, mistakes: Mistakes) -> None:
    numbers = [key for key, value in flat(tree()).items() if isinstance(value, float)]
    assert len(numbers) > 10
    for key in [*numbers, "trainer.gradient_clip"]:
        for value in (math.nan, math.inf, -math.inf):
            (sentence,) = mistakes({key: value})
            assert sentence.startswith(f"{key}=")
            assert ": must be a number" in sentence


def test_no_number_accepts_a_boolean(tree: Callable, mistakes: Mistakes) -> None:
    for key, value in flat(tree()).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            (sentence,) = mistakes({key: True})
            assert sentence.startswith(f"{key}=true: must be a")


def test_the_nearest_key_is_suggested_for_a_mistyped_one(mistakes: Mistakes) -> None:
    assert mistakes({"model.widht": 3}) == [
        "model.widht: no such setting; did you mean model.width?"
    ]


@pytest.mark.parametrize(
    ("key", "ending"),
    [
        ("lr", "; did you mean optimizer.lr?"),
        ("model.epochs", "; did you mean trainer.epochs?"),
        ("mixup", "; did you mean augmentation.mixup?"),
        ("data.seed", "; did you mean seed?"),
        ("trainer.milestones", "; scheduler.milestones is a setting of step"),
        ("factor", "; scheduler.factor is a setting of step and plateau"),
        ("timeout_min", "; did you mean hydra.launcher.timeout_min?"),
        ("optimizer.beta2", "; optimizer has lr, weight_decay, bias_lr_scale, momentum"),
        ("zzz", ""),
    ],
)
def test_a_setting_of_the_same_name_elsewhere_is_named(
    tree: Callable, key: str, ending: str
) -> None:
    assert unknown_key(key, tree()) == f"{key}: no such setting{ending}"


def test_all_keys_of_the_group_are_listed_for_a_key_like_no_other(mistakes: Mistakes) -> None:
    (sentence,) = mistakes({"model.zzzzzzzzzzzzzz": 3})
    start, names = sentence.split("; model has ")
    assert start == "model.zzzzzzzzzzzzzz: no such setting"
    assert set(names.split(", ")) == set(yaml.safe_load(BASE_MODEL.read_text())) - {"name"}


def test_the_error_of_a_missing_key_says_what_it_must_be(tree: Callable) -> None:
    values = tree()
    del values["model"]["width"], values["seed"], values["keep"]
    with pytest.raises(UserError) as caught:
        validate(values)
    assert sorted(caught.value.messages) == [
        "keep is missing: it must be one of weights, all, none",
        "model.width is missing: it must be an integer in [1, 4096]",
        "seed is missing: it must be an integer in [0, 4294967296)",
    ]


def test_the_known_optimizers_and_schedulers_are_listed_for_an_unknown_one(
    mistakes: Mistakes,
) -> None:
    assert mistakes({"optimizer.name": "adamm", "scheduler.name": "wave"}) == [
        "optimizer.name=adamm: must be one of sgd, adam, adamw, muon; did you mean adam?",
        "scheduler.name=wave: must be one of one_cycle, cosine, step, plateau, constant",
    ]


def test_a_group_that_is_not_a_mapping_is_an_error(mistakes: Mistakes) -> None:
    assert mistakes({"optimizer": [1, 2]}) == ["optimizer=[1, 2]: must be a group of settings"]


@pytest.mark.parametrize("value", [[0, 0.5], [0.5, 1], [0.5, 2, -1], ["x"], [None], [[0.5]], "x"])
def test_a_list_with_wrong_elements_is_reported_once_and_whole(
    mistakes: Mistakes, value: Any
) -> None:
    shown = value if isinstance(value, str) else json.dumps(value)
    assert mistakes({"scheduler.milestones": value}, "scheduler=step") == [
        f"scheduler.milestones={shown}: must be a list, each a number in (0, 1)"
    ]


def test_an_empty_list_is_a_list(settings: Callable) -> None:
    assert settings({"scheduler.milestones": []}, "scheduler=step").scheduler.milestones == ()


def test_all_mistakes_are_reported_at_once(mistakes: Mistakes) -> None:
    found = mistakes(
        {
            "seed": -1,
            "model.widht": 3,
            "model.dropout": 1,
            "optimizer.lr": 0,
            "trainer.batch_sise": 3,
            "keep": "al",
        }
    )
    assert sorted(found) == [
        "keep=al: must be one of weights, all, none; did you mean all?",
        "model.dropout=1: must be a number in [0, 1)",
        "model.widht: no such setting; did you mean model.width?",
        "optimizer.lr=0: must be a number > 0",
        "seed=-1: must be an integer in [0, 4294967296)",
        "trainer.batch_sise: no such setting; did you mean trainer.batch_size?",
    ]


@pytest.mark.parametrize("group", ["model", "optimizer", "scheduler"])
def test_a_users_class_accepts_any_key(settings: Callable, group: str) -> None:
    own = {"width": -3, "blocks": [{"kind": "a"}, None], "rate": "high"}
    section = getattr(settings({group: {"_target_": "mine.Own", **own}}), group)
    assert (section.target, section.arguments) == ("mine.Own", own)


def test_the_interval_of_a_users_scheduler_is_not_an_argument_of_it(
    settings: Callable, mistakes: Mistakes
) -> None:
    own = {"_target_": "mine.Waves", "interval": "step", "height": 2}
    scheduler = settings({"scheduler": own}).scheduler
    assert (scheduler.interval, scheduler.arguments) == ("step", {"height": 2})
    assert mistakes({"scheduler": {**own, "interval": "steps"}}) == [
        "scheduler.interval=steps: must be one of epoch, step; did you mean step?"
    ]


@pytest.mark.parametrize("name", ["Net", "mine.Net()", 3, None])
def test_a_target_that_is_not_a_dotted_name_is_an_error(mistakes: Mistakes, name: Any) -> None:
    (sentence,) = mistakes({"model": {"_target_": name}})
    shown = name if isinstance(name, str) else json.dumps(name)
    assert sentence.startswith(f"model._target_={shown}: must be ")


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:12"])
def test_devices_have_the_names_that_torch_uses(settings: Callable, device: str) -> None:
    assert settings({"trainer.device": device}).trainer.device == device


@pytest.mark.parametrize("device", ["gpu", "CUDA", "cuda:", "cuda:x", "cuda:0 ", "cpu\n", 0])
def test_other_devices_are_an_error(mistakes: Mistakes, device: Any) -> None:
    (sentence,) = mistakes({"trainer.device": device})
    shown = str(device).replace("\n", "\\n")
    assert sentence == f"trainer.device={shown}: must be one of auto, cpu, mps, cuda, cuda:N"
