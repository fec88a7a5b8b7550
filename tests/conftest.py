"""What tests of all folders share: composed settings, and a folder of small pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_exp.config.checks import validate
from cifar_exp.config.schema import Settings
from cifar_exp.sweeps.arguments import parse_arguments
from cifar_exp.sweeps.composition import composer, settings_tree

# Overrides that shrink the default recipe to a fraction of a second an epoch.
SMALL = (
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.width=4",
    "model.stages=2",
    "trainer.batch_size=16",
    "trainer.epochs=3",
    "trainer.resolution_scales=[0.75]",
    "trainer.resolution_until=[0.5]",
    "trainer.device=cpu",
    "trainer.threads=1",
    "optimizer.lr=0.05",
)


def compose(*overrides: str) -> Settings:
    """The settings of a command line."""
    with composer(parse_arguments([])) as compose_with:
        return validate(settings_tree(compose_with.compose(overrides)))


@pytest.fixture
def make_settings() -> Callable[..., Settings]:
    """Composes settings from overrides."""
    return compose


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 + 8 pictures of 16 x 16 in each of four classes: bars of a class's own direction."""
    root = tmp_path_factory.mktemp("pictures")
    generator = np.random.RandomState(0)
    y, x = np.mgrid[:16, :16]
    directions = {"across": x, "along": y, "rising": x + y, "falling": x - y}
    for split, count in (("train", 32), ("test", 8)):
        for name, place in directions.items():
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                wave = np.sin(place * 0.9 + generator.uniform(0, 6))[..., None]
                noise = generator.normal(0, 40, (16, 16, 3))
                pixels = np.clip(128 + 60 * wave + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{index:03d}.png")
    return root


@pytest.fixture
def small_settings(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Settings]:
    """Composes small settings on the pictures; decoded images are cached in the test's folder."""
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "cache"))
    return lambda *overrides: compose(*SMALL, f"data.root={pictures}", *overrides)
