import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cifar_exp.errors import Interrupted, UserError
from cifar_exp.runs.network_check import check_network, check_smallest_batch


class Pooled(nn.Module):
    """Takes images of any size; notes those that it was shown, and draws at each."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.norm: nn.Module = nn.BatchNorm1d(3)
        self.head = nn.Linear(3, classes)
        self.shown: list[tuple[int, int]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append((len(images), images.shape[-1]))
        torch.rand(3), random.random(), np.random.random()
        return self.head(self.norm(images.mean((2, 3))))


class Stopped(Pooled):
    def forward(self, _: Tensor) -> Tensor:
        raise Interrupted(15)


def draws() -> list[object]:
    return [torch.rand(2).tolist(), random.random(), np.random.random()]


def test_a_network_is_tried_at_every_size_the_full_one_first() -> None:
    network = Pooled().train()
    check_network(network, [20, 24, 32], 5)
    assert network.shown == [(2, 32), (2, 20), (2, 24)]
    assert network.training


def test_other_sizes_change_nothing_that_is_drawn_later() -> None:
    found = []
    for sizes in ([32], [20, 24, 32]):
        torch.manual_seed(1), random.seed(1), np.random.seed(1)
        check_network(Pooled(), sizes, 5)
        found.append(draws())
    assert found[0] == found[1]


def test_another_number_of_scores_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        check_network(Pooled(classes=4), [32], 5)
    expected = "model: two images give (2, 4), not (2, 5), one score for each class"
    assert caught.value.messages == [expected]


def test_a_signal_is_not_reported_as_a_fault_of_the_network() -> None:
    with pytest.raises(Interrupted):
        check_network(Stopped(), [32], 5)
    with pytest.raises(Interrupted):
        check_smallest_batch(Stopped(), [32], 1, 10)


@pytest.mark.parametrize(("batch_size", "images"), [(1, 10), (2, 5), (256, 1), (7, 1)])
def test_batch_norm_cannot_learn_from_a_batch_of_one(batch_size: int, images: int) -> None:
    with pytest.raises(UserError, match=rf"^trainer.batch_size={batch_size}: of {images} training"):
        check_smallest_batch(Pooled(), [32], batch_size, images)


@pytest.mark.parametrize(("batch_size", "images"), [(2, 4), (3, 4), (3, 5), (3, 7), (256, 257)])
def test_larger_batches_need_no_trial(batch_size: int, images: int) -> None:
    steps = -(-images // batch_size)
    assert min(len(part) for part in torch.arange(images).tensor_split(steps)) > 1
    check_smallest_batch(Stopped(), [32], batch_size, images)


def test_the_trial_of_one_image_leaves_the_network_as_it_is() -> None:
    network = Pooled().eval()
    network.norm = nn.Identity()
    before = [value.clone() for value in network.state_dict().values()]
    check_smallest_batch(network, [20, 32], 1, 10)
    after = network.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert (network.training, network.shown) == (False, [])
