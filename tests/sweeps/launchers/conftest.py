"""Specs of small runs, and executors that are closed at the end of a test."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from cifar_exp.config.identity import run_id
from cifar_exp.data.registry import load_dataset
from cifar_exp.runs.spec import RunSpec
from cifar_exp.sweeps.launchers.ray import cluster


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """Ray with two cores on this machine: it takes seconds to start, so all tests share it."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'cifar_exp[ray]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "available_cores", lambda: 2)
        with cluster.connected(None):
            yield


@pytest.fixture
def make_spec(small_settings: Callable, tmp_path: Path) -> Callable[..., RunSpec]:
    """The spec of a small run, with its id."""
    fingerprints: dict[tuple[str, int], str] = {}

    def make(*overrides: str, outputs: str = "outputs") -> RunSpec:
        settings = small_settings(*overrides)
        key = (settings.data.root, settings.data.image_size)
        if key not in fingerprints:
            fingerprints[key] = load_dataset(settings.data, lambda *_: None).fingerprint
        identity = run_id(settings, fingerprints[key])
        return RunSpec(settings, "tiny", overrides, tmp_path / outputs, identity)

    return make
