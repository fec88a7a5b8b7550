"""Components of small runs on the shared pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from cifar_exp.data.registry import load_dataset
from cifar_exp.runs.build import Components, Compute, build_components


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread, as `Compute` says: tests run side by side, and a core each is enough."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_small_components(small_settings: Callable) -> Callable[..., Components]:
    """All parts of a small run: 24 training images a class, 3 epochs of 6 steps."""

    def make(*overrides: str) -> Components:
        settings = small_settings(*overrides)
        dataset = load_dataset(settings.data, lambda *_: None)
        return build_components(settings, dataset, Compute(torch.device("cpu"), "fp32", 1), Path())

    return make
