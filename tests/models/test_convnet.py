from typing import Any

import pytest
import torch
from torch import nn

from cifar_exp.models.convnet import ConvNet
from cifar_exp.models.macs import stage_widths

PLAIN = {
    "width": 4,
    "depth": 2,
    "stages": 2,
    "growth": 2.0,
    "dropout": 0.0,
    "activation": "leaky_relu",
    "stem": "none",
    "residual": True,
    "pooling": "early",
    "head_pooling": "mean",
    "head_width": 0,
    "initialisation": "default",
}


def network(**changes: Any) -> ConvNet:
    torch.manual_seed(0)
    return ConvNet(10, **{**PLAIN, **changes})


@pytest.mark.parametrize("size", [8, 20, 24, 31, 32, 64])
@pytest.mark.parametrize("stem", ["none", "whitened"])
def test_any_image_of_eight_pixels_or_more_gives_one_score_per_class(size: int, stem: str) -> None:
    assert network(stem=stem)(torch.zeros(3, 3, size, size)).shape == (3, 10)


@pytest.mark.parametrize(
    "change",
    [
        {"activation": "gelu"},
        {"activation": "relu"},
        {"activation": "silu"},
        {"head_pooling": "max_mean"},
        {"head_width": 16},
        {"pooling": "late"},
        {"residual": False},
        {"depth": 4},
        {"stages": 3},
        {"stem": "whitened"},
    ],
)
def test_each_setting_changes_what_the_network_computes(change: dict[str, object]) -> None:
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    # in training mode: with fixed norms, pooling before a rising activation equals pooling after
    plain, changed = network().train()(images), network(**change).train()(images)
    assert not torch.allclose(plain, changed)


def test_parameters_equal_a_count_by_hand() -> None:
    # stage 1: 3 -> 4 and 4 -> 4, stage 2: 4 -> 8 and 8 -> 8, each with a norm's gain and bias
    convolutions = 9 * (3 * 4 + 4 * 4 + 4 * 8 + 8 * 8)
    norms = 2 * (4 + 4 + 8 + 8)
    head = 2 * 8 + 8 * 10 + 10  # norm, weights, biases
    counted = sum(parameter.numel() for parameter in network().parameters())
    assert counted == convolutions + norms + head


def test_widths_grow_in_multiples_of_eight_from_sixteen_on() -> None:
    assert stage_widths(32, 4, 2.0) == [32, 64, 128, 256]
    assert stage_widths(3, 4, 2.0) == [3, 6, 12, 24]
    assert stage_widths(40, 3, 3.5) == [40, 144, 488]


def test_dirac_initialization_passes_the_first_channels_through() -> None:
    convolution = network(initialisation="dirac").stages[1].entry.conv
    images = torch.randn(1, 4, 8, 8)
    assert torch.equal(convolution(images)[:, :4], images)
    assert not torch.equal(convolution(images)[:, 4:], images)


def test_dropout_acts_in_training_only_and_at_its_rate() -> None:
    dropping = network(dropout=0.5)
    places = [m for m in dropping.modules() if isinstance(m, nn.Dropout)]
    assert [place.p for place in places] == [0.5] * 3  # two stages and the head
    assert not [m for m in network().modules() if isinstance(m, nn.Dropout)]
    images = torch.randn(4, 3, 16, 16)
    dropping.train()
    assert not torch.equal(dropping(images), dropping(images))
    dropping.eval()
    assert torch.equal(dropping(images), dropping(images))


def test_early_and_late_pooling_halve_the_resolution_alike() -> None:
    images = torch.randn(1, 3, 16, 16)
    for pooling in ("early", "late"):
        assert network(pooling=pooling).stages[0](images).shape == (1, 4, 8, 8)


def test_without_residual_a_unit_replaces_its_input() -> None:
    stage: Any = network(residual=False).stages[0].eval()
    images = torch.randn(1, 3, 16, 16)
    entered = stage.entry(images)
    assert torch.equal(stage(images), stage.units[0](entered))
    stage.residual = True
    assert torch.equal(stage(images), entered + stage.units[0](entered))


def test_max_mean_pooling_puts_the_maximum_beside_the_mean() -> None:
    pool = network(head_pooling="max_mean").pool
    features = torch.randn(2, 5, 3, 3)
    expected = torch.cat([features.flatten(2).max(2).values, features.flatten(2).mean(2)], 1)
    torch.testing.assert_close(pool(features), expected)
