import numpy as np
import pytest
import torch

from cifar_exp.training.muon import Muon, orthogonalize


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (8, 8)])
def test_orthogonalized_singular_values_come_near_one_and_directions_stay(
    shape: tuple[int, int],
) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, v = np.linalg.svd(matrix.numpy(), full_matrices=False)
    result = orthogonalize(matrix, iterations=6).numpy()
    inside = u.T @ result @ v.T
    assert np.all(np.abs(np.diag(inside) - 1) < 0.35)
    np.testing.assert_allclose(inside - np.diag(np.diag(inside)), 0, atol=1e-3)


def one_step(parameter: torch.Tensor, gradient: torch.Tensor, **group: object) -> torch.Tensor:
    parameter = torch.nn.Parameter(parameter.clone())
    optimizer = Muon([{"params": [parameter], **group}], lr=0.1, momentum=0.9, iterations=5)
    parameter.grad = gradient
    optimizer.step()
    return parameter.detach()


def test_other_groups_take_nesterov_sgd_as_torch_computes_it() -> None:
    start, gradients = torch.randn(4, 3), torch.randn(3, 4, 3)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    mine = Muon([{"params": [ours], "orthogonal": False}], lr=0.1, momentum=0.9, iterations=5)
    reference = torch.optim.SGD([theirs], lr=0.1, momentum=0.9, nesterov=True)
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        reference.step()
        torch.testing.assert_close(ours, theirs)


def test_weight_decay_shrinks_apart_from_the_gradient() -> None:
    start = torch.randn(8, 16)
    gradient = torch.randn(8, 16)
    free = one_step(start, gradient, orthogonal=True, weight_decay=0.0)
    decayed = one_step(start, gradient, orthogonal=True, weight_decay=0.5)
    torch.testing.assert_close(free - decayed, 0.1 * 0.5 * start)


def test_an_update_does_not_depend_on_the_gradients_length() -> None:
    start, gradient = torch.randn(8, 2, 3, 3), torch.randn(8, 2, 3, 3)
    short = one_step(start, 0.01 * gradient, orthogonal=True)
    long = one_step(start, 100 * gradient, orthogonal=True)
    torch.testing.assert_close(short, long, rtol=1e-3, atol=1e-4)


def test_a_tall_weights_update_is_scaled_by_the_root_of_its_aspect() -> None:
    gradient = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    moved = one_step(torch.zeros(32, 8), gradient, orthogonal=True)
    singular = np.linalg.svd(moved.numpy(), compute_uv=False) / (0.1 * (32 / 8) ** 0.5)
    assert np.all(np.abs(singular - 1) < 0.35)


def test_parameters_without_a_gradient_stay() -> None:
    parameter = torch.nn.Parameter(torch.ones(2, 2))
    Muon([{"params": [parameter], "orthogonal": True}], 0.1, 0.9, 5).step()
    assert torch.equal(parameter, torch.ones(2, 2))
