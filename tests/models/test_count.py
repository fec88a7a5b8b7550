import pytest
import torch
from torch import Tensor, nn

from cifar_exp.models.convnet import ConvNet
from cifar_exp.models.count import count_macs, count_parameters


def test_macs_of_the_network_equal_a_count_by_hand() -> None:
    network = ConvNet(
        10,
        width=4,
        depth=2,
        stages=2,
        growth=2.0,
        dropout=0.1,
        activation="relu",
        stem="whitened",
        residual=True,
        pooling="early",
        head_pooling="max_mean",
        head_width=16,
        initialisation="dirac",
    )
    stem = 12 * 24 * 15 * 15  # 2 x 2 patches of three channels
    first = 9 * (24 * 4 * 15 * 15 + 4 * 4 * 8 * 8)  # pooled from 15 to 8 in between
    second = 9 * (4 * 8 * 8 * 8 + 8 * 8 * 4 * 4)
    head = 2 * 8 * 16 + 16 * 10
    assert count_macs(network, 16) == stem + first + second + head


def test_counting_leaves_the_network_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    network.train()
    before = [value.clone() for value in network.state_dict().values()]
    assert count_macs(network, 8) == 9 * 3 * 4 * 6 * 6
    assert network.training
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), before, strict=True)
    )


def test_parameters_are_counted_with_fixed_ones_but_without_buffers() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    network[0].weight.requires_grad_(False)
    assert count_parameters(network) == 3 * 4 + 4 + 4 + 4


class Unusual(nn.Sequential):
    """A dense layer that looks at values, or cannot be copied, or does neither."""

    def __init__(self, *, looks: bool = False, is_single: bool = False) -> None:
        super().__init__(nn.Flatten(), nn.Linear(192, 5))
        self.looks, self.is_single = looks, is_single

    def __deepcopy__(self, memo: dict) -> "Unusual":
        if self.is_single:
            raise RuntimeError("only one")
        return Unusual(looks=self.looks)

    def forward(self, images: Tensor) -> Tensor:
        if self.looks and float(images.sum()) > 0:
            raise KeyError("bright")
        return super().forward(images)


@pytest.mark.parametrize("kind", [{}, {"looks": True}, {"is_single": True}], ids=str)
def test_what_the_meta_device_cannot_count_is_counted_by_computing(kind: dict[str, bool]) -> None:
    network = Unusual(**kind).train()
    assert count_macs(network, 8) == 192 * 5
    assert network.training


def test_a_network_that_cannot_be_counted_at_all_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="cannot be counted") as caught:
        count_macs(Unusual(), 9)
    assert str(caught.value).startswith(
        "its multiply-accumulates cannot be counted: RuntimeError: mat1 and mat2 shapes"
    )
