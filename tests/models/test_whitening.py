from typing import Any

import numpy as np
import torch

from cifar_exp.models.convnet import ConvNet
from cifar_exp.models.whitening import WhitenedStem


def correlated_images(count: int = 200) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    smooth = torch.randn(count, 3, 6, 6, generator=generator)
    smooth = torch.nn.functional.interpolate(smooth, size=12, mode="bilinear")
    return smooth + 0.1 * torch.randn(count, 3, 12, 12, generator=generator)


def test_outputs_over_the_training_patches_are_uncorrelated_with_unit_variance() -> None:
    images = correlated_images()
    stem = WhitenedStem(3)
    stem.fit(images, eps=0.0)
    outputs = stem(images)[:, :12].transpose(0, 1).flatten(1).detach().numpy()
    second_moments = outputs @ outputs.T / outputs.shape[1]
    np.testing.assert_allclose(second_moments, np.eye(12), atol=2e-3)


def test_the_second_half_of_the_filters_is_the_negative_of_the_first() -> None:
    stem = WhitenedStem(3)
    stem.fit(correlated_images())
    assert torch.equal(stem.weight[:12], -stem.weight[12:])


def test_filters_do_not_depend_on_an_eigenvectors_arbitrary_sign() -> None:
    stem = WhitenedStem(3)
    stem.fit(correlated_images())
    for kernel in stem.weight[:12].flatten(1):
        assert kernel[kernel.abs().argmax()] > 0


def test_constant_images_give_finite_filters() -> None:
    stem = WhitenedStem(3)
    stem.fit(torch.ones(10, 3, 8, 8))
    assert torch.isfinite(stem.weight).all()


def test_filters_are_fixed_in_training() -> None:
    assert not WhitenedStem(3).weight.requires_grad


def test_a_network_without_a_whitened_stem_is_left_alone() -> None:
    settings: dict[str, Any] = {
        "width": 4,
        "depth": 1,
        "stages": 1,
        "growth": 2.0,
        "dropout": 0.0,
        "activation": "relu",
    }
    settings |= {"stem": "none", "residual": False, "pooling": "early", "head_pooling": "mean"}
    torch.manual_seed(0)
    network = ConvNet(3, **settings, head_width=0, initialisation="default")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.fit_stem(correlated_images())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
