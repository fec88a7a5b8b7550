"""Runs in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.runs.request import Request


@pytest.fixture
def make_request(small_settings: Callable, tmp_path: Path) -> Callable[..., Request]:
    """A request for a small run, told to nobody."""

    def make(*overrides: str, label: str = "tiny") -> Request:
        settings = small_settings("trainer.progress=none", *overrides)
        return Request(settings, label, overrides, tmp_path / "outputs")

    return make
