"""Runs in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.runs.spec import RunSpec


@pytest.fixture
def make_spec(small_settings: Callable, tmp_path: Path) -> Callable[..., RunSpec]:
    """A spec for a small run, told to nobody."""

    def make(*overrides: str, label: str = "tiny") -> RunSpec:
        settings = small_settings("trainer.progress=none", *overrides)
        return RunSpec(settings, label, overrides, tmp_path / "outputs")

    return make
