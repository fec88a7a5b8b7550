from typing import Any

import pytest

from cifar_exp.config.schema import ConvNetSection
from cifar_exp.models.build import build_network
from cifar_exp.models.count import count_macs
from cifar_exp.models.macs import convnet_macs, stage_widths

SECTION = {
    "name": "convnet",
    "width": 4,
    "depth": 2,
    "stages": 3,
    "growth": 2.0,
    "dropout": 0.0,
    "activation": "relu",
    "stem": "whitened",
    "residual": True,
    "pooling": "early",
    "head_pooling": "max_mean",
    "head_width": 0,
    "initialisation": "default",
}
CHANGES: list[dict[str, Any]] = [
    {},
    {"stem": "none"},
    {"pooling": "late"},
    {"residual": False},
    {"depth": 1},
    {"depth": 5, "stem": "none"},
    {"stages": 1},
    {"stages": 6, "width": 2},
    {"width": 1, "growth": 1.0},
    {"width": 7, "growth": 1.5},
    {"width": 13, "growth": 2.7},
    {"width": 33, "growth": 1.2, "stages": 4},
    {"head_pooling": "mean"},
    {"head_width": 24},
    {"head_width": 5, "head_pooling": "mean", "stem": "none", "pooling": "late"},
    {"dropout": 0.3, "activation": "gelu", "initialisation": "dirac"},
]


def section_of(changes: dict[str, Any]) -> ConvNetSection:
    return ConvNetSection.model_validate({**SECTION, **changes})


@pytest.mark.slow
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_the_macs_from_the_settings_are_those_of_the_network_at_every_size(
    changes: dict[str, Any],
) -> None:
    section = section_of(changes)
    network = build_network(section, 7)
    for size in (15, 32):
        assert convnet_macs(section, 7, size) == count_macs(network, size)


def test_each_further_class_costs_one_product_per_feature() -> None:
    section = section_of({"width": 8, "stages": 2, "head_pooling": "max_mean"})
    more = convnet_macs(section, 101, 32) - convnet_macs(section, 1, 32)
    assert more == 100 * 2 * 16  # maximum and mean of 16 channels


@pytest.mark.parametrize(
    ("width", "stages", "growth", "expected"),
    [
        (32, 4, 2.0, [32, 64, 128, 256]),
        (8, 4, 1.5, [8, 12, 16, 24]),  # 12 is left alone; 18 and 27 go to the nearest eights
        (3, 3, 1.7, [3, 5, 9]),
        (33, 3, 1.0, [33, 32, 32]),  # the first is as asked
        (5, 1, 8.0, [5]),
    ],
)
def test_stages_widen_in_multiples_of_eight_from_sixteen_on(
    width: int, stages: int, growth: float, expected: list[int]
) -> None:
    assert stage_widths(width, stages, growth) == expected
