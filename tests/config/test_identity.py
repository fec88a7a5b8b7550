import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config import identity
from cifar_exp.config.identity import flatten, run_id
from cifar_exp.config.schema import Settings

PRINT = "0123456789abcdef" * 4

# Changes only with NUMERICS, or with a default in conf/: old runs must keep their ids.
FROZEN: dict[str, tuple[tuple[str, ...], str | None, str]] = {
    "default": ((), None, "7f3eb36c11"),
    "notebook": (("experiment=notebook", "seed=3"), None, "bc60bc328e"),
    "folder": (("data=folder",), PRINT, "9d9112433c"),
    "installed target": (("model=resnet18", "+model.zero_init_residual=true"), None, "8fd5568b33"),
    "own target": (("model=resnet18", "model._target_=frozen_nets.Net"), None, "9e1a344b19"),
}

# Settings that do not decide a run's result, with another value each.
NUISANCES: dict[str, Any] = {
    "data.root": "/elsewhere",
    "data.download": [False, True],
    "trainer.device": "cuda:3",
    "trainer.threads": 3,
    "trainer.progress": ["plain", "bar"],
    "rerun": [True, False],
    "keep": ["all", "none"],
    "retry_failed": [True, False],
    "plan": [True, False],
    "report": [False, True],
    "confirm.sweep": "outputs/sweeps/mine",
    "confirm.top": 7,
    "confirm.seeds": 7,
    "confirm.baseline": "width=16 dropout=0.0",
    "search.name": ["tpe", "random"],
    "search.runs": 7,
    "search.seeds": 7,
    "search.seed": 7,
    "search.budget_minutes": 7,
    "search.budget_pflop": 7,
    "search.objective": ["accuracy_and_pflop", "accuracy"],
    "search.near": "optimizer.lr=0.1",
    "search.stop_at_noise": [True, False],
    "pruning.name": ["asha", "median"],
    "pruning.grace": 7,
    "pruning.reduction": 7,
    "pruning.top": 7,
    "sweep_name": "mine",
    "retries": 7,
    "max_failures": 7,
    "on_end": "true",
    "wait": [False, True],
}
# All other settings. In a list stands more than one, the first of which may be the default.
DECISIVE: dict[str, Any] = {
    "seed": 4711,
    "init_from": "12e4567890",
    "data.name": ["shapes", "cifar10", "cifar100"],
    "data.image_size": 48,
    "data.limit_train": 1234,
    "data.limit_test": 1234,
    "data.val_fraction": 0.123,
    "data.split_seed": 4711,
    "model.width": 17,
    "model.depth": 7,
    "model.stages": 6,
    "model.growth": 1.23,
    "model.dropout": 0.123,
    "model.activation": ["gelu", "silu"],
    "model.stem": ["none", "whitened"],
    "model.residual": [True, False],
    "model.pooling": ["late", "early"],
    "model.head_pooling": ["mean", "max_mean"],
    "model.head_width": 77,
    "model.initialisation": ["default", "dirac"],
    "augmentation.flip": ["none", "random"],
    "augmentation.crop_padding": 5,
    "augmentation.cutout": 5,
    "augmentation.jitter": 0.123,
    "augmentation.mixup": 0.123,
    "augmentation.cutmix": 0.123,
    "optimizer.lr": 0.123,
    "optimizer.weight_decay": 0.123,
    "optimizer.bias_lr_scale": 1.23,
    "optimizer.momentum": 0.123,
    "scheduler.warmup": 0.123,
    "scheduler.final": 0.123,
    "trainer.epochs": 17,
    "trainer.batch_size": 77,
    "trainer.label_smoothing": 0.123,
    "trainer.gradient_clip": 1.23,
    "trainer.ema": 0.123,
    "trainer.resolution_scales": [[0.345], [0.456]],
    "trainer.resolution_until": [[0.345], [0.456]],
    "trainer.evaluate": ["best", "last"],
    "trainer.precision": ["bf16", "fp32"],
    "trainer.compile": [True, False],
}
# So that each setting may be changed alone, whatever the defaults come to be.
CALM = {
    "data.val_fraction": 0.1,
    "augmentation.mixup": 0.0,
    "augmentation.cutmix": 0.0,
    "trainer.resolution_scales": [0.5],
    "trainer.resolution_until": [0.5],
}
OTHER = {**NUISANCES, **DECISIVE}


def leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        here = (*above, name)
        if isinstance(value, Mapping):
            yield from leaves(value, here)
        else:
            yield ".".join(here), list(value) if isinstance(value, tuple) else value


def canonical(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{canonical(k)}:{canonical(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value)


def expected_id(settings: Settings, **more: Any) -> str:
    named = dict(leaves(settings.model_dump(by_alias=True)))
    deciding = {key: value for key, value in named.items() if key not in NUISANCES}
    text = canonical({"numerics": identity.NUMERICS, "settings": deciding, **more})
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def another(key: str, current: Any) -> Any:
    values = OTHER[key] if isinstance(OTHER[key], list) else [OTHER[key]]
    return next(value for value in values if value != current)


@pytest.mark.parametrize("name", FROZEN)
def test_the_ids_of_known_runs_never_change(
    settings: Callable, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frozen_nets.py").write_bytes(b"class Net: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    overrides, fingerprint, frozen = FROZEN[name]
    assert run_id(settings({}, *overrides), fingerprint) == frozen


@pytest.mark.parametrize(
    "overrides",
    [(), ("experiment=notebook",), ("scheduler=step",), ("model=resnet18", "+model.a={b: [1, 2]}")],
)
def test_an_id_is_the_start_of_the_hash_of_the_deciding_settings(
    settings: Callable, overrides: tuple[str, ...]
) -> None:
    composed = settings({}, *overrides)
    assert run_id(composed) == expected_id(composed)


def test_the_content_of_a_folder_of_images_is_part_of_the_id(settings: Callable) -> None:
    composed = settings({}, "data=folder")
    assert run_id(composed, PRINT) == expected_id(composed, fingerprint=PRINT)
    assert len({run_id(composed), run_id(composed, PRINT), run_id(composed, PRINT[::-1])}) == 3


def test_every_id_changes_with_the_numerics(
    settings: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_id(settings())
    monkeypatch.setattr(identity, "NUMERICS", identity.NUMERICS + 1)
    assert run_id(settings()) == expected_id(settings()) != before


def test_every_setting_is_known_to_decide_the_result_or_not(settings: Callable) -> None:
    tags = {"model.name", "optimizer.name", "scheduler.name"}
    assert set(OTHER) | tags == set(flatten(settings()))


@pytest.mark.parametrize("key", NUISANCES)
def test_a_setting_that_does_not_decide_the_result_leaves_the_id_alone(
    tree: Callable, settings: Callable, key: str
) -> None:
    values = dict(leaves(tree(CALM)))
    changed = settings({**CALM, key: another(key, values[key])})
    assert changed != settings(CALM)
    assert run_id(changed) == run_id(settings(CALM))


@pytest.mark.parametrize("key", DECISIVE)
def test_a_setting_that_decides_the_result_changes_the_id(
    tree: Callable, settings: Callable, key: str
) -> None:
    values = dict(leaves(tree(CALM)))
    changed = settings({**CALM, key: another(key, values[key])})
    assert run_id(changed) != run_id(settings(CALM))


def test_a_value_has_one_id_however_it_is_written(settings: Callable) -> None:
    written = ["0.1", "1e-1", ".10"]
    ids = {run_id(settings({}, f"data.val_fraction={text}")) for text in written}
    assert ids == {run_id(settings({"data.val_fraction": 0.1}))}
    assert run_id(settings({"model.growth": 2})) == run_id(settings({"model.growth": 2.0}))


def test_a_default_spelled_out_is_the_default(tree: Callable, settings: Callable) -> None:
    spelled = [
        f"{key}={json.dumps(value)}"
        for key, value in leaves(tree())
        if isinstance(value, int | float)
    ]
    assert len(spelled) > 20
    assert run_id(settings({}, *spelled)) == run_id(settings())


def test_the_order_of_keys_does_not_matter(tree: Callable, settings: Callable) -> None:
    def turned(values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {key: turned(value) for key, value in reversed(values.items())}

    assert list(turned(tree())) != list(tree())
    assert run_id(Settings.model_validate(turned(tree()))) == run_id(settings())


def test_an_id_is_ten_hex_digits_and_always_a_string(tree: Callable) -> None:
    values = tree()
    ids = [run_id(Settings.model_validate({**values, "seed": seed})) for seed in range(1500)]
    assert len(set(ids)) == 1500
    assert all(isinstance(found, str) and re.fullmatch("[0-9a-f]{10}", found) for found in ids)
    # one in a hundred looks like a number, and is none
    assert any(found.isdigit() for found in ids)


@pytest.mark.parametrize("written", ["0123456789", "12e4567890", "0000000000", "1e00000000"])
def test_an_id_that_looks_like_a_number_is_a_string(settings: Callable, written: str) -> None:
    for reference in (written, f"outputs/runs/base-{written}", f"/x/my-net-{written}/"):
        assert settings({"init_from": reference}).init_from == written


@pytest.mark.parametrize("reference", ["abc", "ABCDEF0123", "0123456789a", "", 123456789.0])
def test_a_value_that_cannot_be_an_id_is_an_error(mistakes: Callable, reference: Any) -> None:
    (sentence,) = mistakes({"init_from": reference})
    assert sentence.startswith(f"init_from={reference}: must be ")
