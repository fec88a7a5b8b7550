from collections.abc import Callable
from typing import Any

import pytest

Mistakes = Callable[..., list[str]]

# Nothing here is in conflict, whatever the defaults come to be.
CALM = {
    "data.image_size": 32,
    "data.val_fraction": 0.1,
    "augmentation.crop_padding": 2,
    "augmentation.mixup": 0,
    "augmentation.cutmix": 0,
    "trainer.resolution_scales": [0.5, 0.75],
    "trainer.resolution_until": [0.3, 0.6],
}
WITHOUT = (
    "and data.val_fraction=0 leaves no validation images; set that to 0.1, for example, "
    "or {instead}"
)
PLATEAU = "scheduler=plateau watches val_loss, " + WITHOUT.format(
    instead="choose another scheduler"
)
BEST = "trainer.evaluate=best chooses by val_accuracy, " + WITHOUT.format(
    instead="choose trainer.evaluate=last"
)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"augmentation.crop_padding": 32},
            "augmentation.crop_padding=32: must be below data.image_size=32",
        ),
        (
            {"augmentation.mixup": 0.2, "augmentation.cutmix": 1},
            "augmentation.mixup and augmentation.cutmix: only one of them may be above 0",
        ),
        (
            {"trainer.resolution_until": [0.5]},
            "trainer.resolution_scales=[0.5, 0.75] and trainer.resolution_until=[0.5]: "
            "must have the same length",
        ),
        (
            {"trainer.resolution_until": [0.6, 0.3]},
            "trainer.resolution_until=[0.6, 0.3]: must be increasing",
        ),
        (
            {"trainer.resolution_until": [0.3, 0.3]},
            "trainer.resolution_until=[0.3, 0.3]: must be increasing",
        ),
        (
            {"trainer.resolution_scales": [0.24, 1]},
            "trainer.resolution_scales=[0.24, 1.0]: images must keep a side of 8 pixels, "
            "and data.image_size is 32",
        ),
    ],
)
def test_two_settings_that_exclude_each_other_are_an_error(
    mistakes: Mistakes, changes: dict[str, Any], sentence: str
) -> None:
    assert mistakes({**CALM, **changes}) == [sentence]


@pytest.mark.parametrize(
    "changes",
    [
        {"augmentation.crop_padding": 31},
        {"augmentation.mixup": 1},
        {"augmentation.cutmix": 1},
        {"trainer.resolution_scales": [0.25, 1]},
        {"trainer.resolution_until": [0.3, 1]},
        {"trainer.resolution_scales": [], "trainer.resolution_until": []},
        {
            "data.image_size": 8,
            "trainer.resolution_scales": [],
            "trainer.resolution_until": [],
        },
        {"trainer.evaluate": "best", "data.val_fraction": 0.001},
        {"data.val_fraction": 0},
    ],
)
def test_values_just_inside_a_limit_are_accepted(
    settings: Callable, changes: dict[str, Any]
) -> None:
    taken = settings({**CALM, **changes})
    assert taken.data.image_size == changes.get("data.image_size", 32)


def test_every_run_is_longer_than_the_epochs_that_pruning_grants(
    mistakes: Mistakes, settings: Callable
) -> None:
    words = {**CALM, "pruning.grace": 8, "trainer.epochs": 8}
    assert mistakes(words, "pruning=asha") == ["pruning.grace=8: must be below trainer.epochs=8"]
    assert settings({**words, "trainer.epochs": 9}, "pruning=asha").pruning.name == "asha"
    assert settings(words).pruning.name == "none"


def test_settings_that_need_validation_images_are_refused_without_them(mistakes: Mistakes) -> None:
    nothing_held_out = {**CALM, "data.val_fraction": 0}
    best = {**nothing_held_out, "trainer.evaluate": "best"}
    assert mistakes(nothing_held_out, "scheduler=plateau") == [PLATEAU]
    assert mistakes(best) == [BEST]
    assert mistakes(best, "scheduler=plateau") == [PLATEAU, BEST]
    assert mistakes(nothing_held_out, "pruning=top_k") == [
        "pruning=top_k compares val_accuracy, " + WITHOUT.format(instead="choose pruning=none")
    ]


def test_all_conflicts_are_reported_at_once(mistakes: Mistakes) -> None:
    found = mistakes(
        {
            "data.image_size": 16,
            "data.val_fraction": 0,
            "augmentation.crop_padding": 16,
            "augmentation.mixup": 1,
            "augmentation.cutmix": 1,
            "trainer.resolution_scales": [0.25],
            "trainer.resolution_until": [0.9, 0.8],
            "trainer.evaluate": "best",
        }
    )
    assert found == [
        BEST,
        "augmentation.crop_padding=16: must be below data.image_size=16",
        "augmentation.mixup and augmentation.cutmix: only one of them may be above 0",
        "trainer.resolution_scales=[0.25] and trainer.resolution_until=[0.9, 0.8]: "
        "must have the same length",
        "trainer.resolution_until=[0.9, 0.8]: must be increasing",
        "trainer.resolution_scales=[0.25]: images must keep a side of 8 pixels, "
        "and data.image_size is 16",
    ]
