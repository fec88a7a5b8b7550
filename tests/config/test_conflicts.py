from collections.abc import Callable
from typing import Any

import pytest

Told = Callable[..., list[str]]

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
    "and data.val_fraction=0 leaves no validation images; give it a part, as 0.1, or take {instead}"
)
PLATEAU = "scheduler=plateau watches val_loss, " + WITHOUT.format(instead="another scheduler")
BEST = "trainer.evaluate=best chooses by val_accuracy, " + WITHOUT.format(instead="last")


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
            "must be equally long",
        ),
        (
            {"trainer.resolution_until": [0.6, 0.3]},
            "trainer.resolution_until=[0.6, 0.3]: must rise",
        ),
        (
            {"trainer.resolution_until": [0.3, 0.3]},
            "trainer.resolution_until=[0.3, 0.3]: must rise",
        ),
        (
            {"trainer.resolution_scales": [0.24, 1]},
            "trainer.resolution_scales=[0.24, 1.0]: images must keep 8 pixels, "
            "and data.image_size is 32",
        ),
    ],
)
def test_two_settings_that_exclude_each_other_are_told(
    mistakes: Told, changes: dict[str, Any], sentence: str
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
def test_what_stands_just_inside_a_limit_is_taken(
    settings: Callable, changes: dict[str, Any]
) -> None:
    taken = settings({**CALM, **changes})
    assert taken.data.image_size == changes.get("data.image_size", 32)


def test_what_needs_validation_images_is_refused_without_them(mistakes: Told) -> None:
    nothing_held_out = {**CALM, "data.val_fraction": 0}
    best = {**nothing_held_out, "trainer.evaluate": "best"}
    assert mistakes(nothing_held_out, "scheduler=plateau") == [PLATEAU]
    assert mistakes(best) == [BEST]
    assert mistakes(best, "scheduler=plateau") == [PLATEAU, BEST]


def test_all_conflicts_are_told_at_once(mistakes: Told) -> None:
    told = mistakes(
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
    assert told == [
        BEST,
        "augmentation.crop_padding=16: must be below data.image_size=16",
        "augmentation.mixup and augmentation.cutmix: only one of them may be above 0",
        "trainer.resolution_scales=[0.25] and trainer.resolution_until=[0.9, 0.8]: "
        "must be equally long",
        "trainer.resolution_until=[0.9, 0.8]: must rise",
        "trainer.resolution_scales=[0.25]: images must keep 8 pixels, and data.image_size is 16",
    ]
