import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cifar_exp
from cifar_exp.config.schema import AugmentationSection, DataSection
from cifar_exp.data.archive import Archive
from cifar_exp.data.cifar import CIFAR10, CIFAR100, Cifar
from cifar_exp.data.dataset import ImageSet

PLAIN_DATA = {
    "name": "folder",
    "root": "nowhere",
    "download": False,
    "image_size": 8,
    "limit_train": None,
    "limit_test": None,
    "val_fraction": 0.1,
    "split_seed": 0,
}
NO_AUGMENTATION = {
    "flip": "none",
    "crop_padding": 0,
    "cutout": 0,
    "jitter": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache's folder of this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(folder))
    return folder


@pytest.fixture
def data_section():
    return lambda **changes: DataSection(**{**PLAIN_DATA, **changes})


@pytest.fixture
def augmentation_section():
    return lambda **changes: AugmentationSection(**{**NO_AUGMENTATION, **changes})


class Reports(list):
    """Keeps what slow work reports; empty where nothing had to be decoded."""

    def __call__(self, what: str, done: int, total: int) -> None:
        self.append((what, done, total))


@pytest.fixture
def reports():
    return Reports()


@pytest.fixture
def write_picture():
    """Write a picture (an array, or a seed for a random one), making its folders."""

    def write(path: Path, pixels: np.ndarray | int, size: int = 8) -> np.ndarray:
        if isinstance(pixels, int):
            pixels = np.random.default_rng(pixels).integers(0, 256, (size, size, 3), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return pixels

    return write


@pytest.fixture
def split(tmp_path, write_picture):
    """Two classes, written in no order."""
    for seed, name in enumerate(["dog/b.png", "cat/10.png", "dog/a.PNG", "cat/9.png"]):
        write_picture(tmp_path / "train" / name, seed)
    return tmp_path / "train"


class Maker:
    """Makes six random images, and counts how often."""

    def __init__(self, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        self.pixels = generator.integers(0, 256, (6, 8, 8, 3), np.uint8)
        self.calls = 0

    def __call__(self) -> ImageSet:
        self.calls += 1
        return ImageSet(self.pixels.copy(), np.arange(6))

    def gave(self, found: tuple[ImageSet, str]) -> bool:
        images, digest = found
        return (
            np.array_equal(images.images, self.pixels)
            and images.labels.tolist() == [0, 1, 2, 3, 4, 5]
            and digest == hashlib.sha256(self.pixels.tobytes()).hexdigest()
        )


@pytest.fixture
def make_images():
    """The class of `maker`, for images of another seed."""
    return Maker


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def start_python(cache):
    """Start a script in a fresh interpreter that knows the package and this test's cache."""
    home = str(Path(cifar_exp.__file__).parents[1])
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: object) -> subprocess.Popen[str]:
        path = os.pathsep.join([home, os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
            env={**os.environ, "CIFAR_EXP_CACHE": str(cache), "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class MadeCifar:
    """Random images in the form of a CIFAR dataset, by split and in the order of a dataset."""

    names: dict[str, list[tuple[str, str]]]  # (class, file)
    images: dict[str, np.ndarray]
    files: dict[str, bytes]  # of the unpacked archive
    packed: bytes
    cifar: Cifar

    @property
    def archive(self) -> Archive:
        return self.cifar.archive

    def unpack(self, root: Path) -> Path:
        folder = root / self.archive.folder
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return root

    def write_by_class(self, root: Path) -> Path:
        for split, names in self.names.items():
            for (class_name, file), image in zip(names, self.images[split], strict=True):
                path = root / split / class_name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(path)
        return root

    def labels(self, split: str) -> list[int]:
        classes = sorted(self.cifar.class_names)
        return [classes.index(class_name) for class_name, _ in self.names[split]]


@pytest.fixture(scope="session")
def made_cifar() -> MadeCifar:
    """CIFAR-100 with 2 training images and 1 test image a class."""
    return _made(CIFAR100, {"train": 2, "test": 1})


@pytest.fixture(scope="session")
def made_cifar10() -> MadeCifar:
    """CIFAR-10 with 10 training images and 3 test images a class."""
    return _made(CIFAR10, {"train": 10, "test": 3})


def _made(cifar: Cifar, per_class: dict[str, int]) -> MadeCifar:
    generator = np.random.default_rng(5)
    names, images = {}, {}
    for split, each in per_class.items():
        numbers = generator.permutation(len(cifar.class_names) * each)
        names[split] = sorted(
            (class_name, f"{class_name}_s_{numbers[each * index + copy]:06}.png")
            for index, class_name in enumerate(cifar.class_names)
            for copy in range(each)
        )
        images[split] = generator.integers(0, 256, (len(numbers), 32, 32, 3), np.uint8)
    files = _pickles(cifar, names, images, generator)
    packed = _packed(cifar.archive.folder, files)
    archive = replace(
        cifar.archive,
        url=f"http://127.0.0.1:9/{cifar.archive.filename}",  # nobody answers there
        md5=hashlib.md5(packed).hexdigest(),
        members={name: hashlib.md5(content).hexdigest() for name, content in files.items()},
    )
    pixels = {split: _digest(images[split]) for split in images if split in cifar.pixels}
    described = replace(cifar, archive=archive, pixels=pixels, per_class=per_class)
    return MadeCifar(names, images, files, packed, described)


def _pickles(cifar: Cifar, names, images, generator) -> dict[str, bytes]:
    # neither the classes nor the images are in the order that a dataset has
    class_names = [str(name) for name in generator.permutation(cifar.class_names)]
    files: dict[str, dict[bytes, Any]] = {
        cifar.meta: {cifar.names_key: [name.encode() for name in class_names]}
    }
    for split in names:
        order = generator.permutation(len(names[split]))
        for file, part in zip(
            cifar.files[split], np.array_split(order, len(cifar.files[split])), strict=True
        ):
            rows = [names[split][index] for index in part]
            planes = images[split][part].transpose(0, 3, 1, 2)
            files[file] = {
                b"data": np.ascontiguousarray(planes).reshape(len(part), 3072),
                cifar.label_key: [class_names.index(class_name) for class_name, _ in rows],
                b"filenames": [name.encode() for _, name in rows],
            }
    return {name: pickle.dumps(content, protocol=2) for name, content in files.items()}


def _packed(folder: str, files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _digest(images: np.ndarray) -> str:
    digest = hashlib.sha256()
    for image in images:
        digest.update(image.tobytes())
    return digest.hexdigest()


@pytest.fixture
def chi_square() -> Callable[..., float]:
    """Pearson's statistic of counts against expected ones."""

    def statistic(counts: np.ndarray, expected: np.ndarray | float) -> float:
        return float(((counts - expected) ** 2 / expected).sum())

    return statistic


@pytest.fixture
def kolmogorov() -> Callable[..., float]:
    """sqrt(n) times the largest distance to a distribution; above 1.95 in 1 of 1,000 samples."""

    def statistic(values: np.ndarray, distribution: Callable[[np.ndarray], np.ndarray]) -> float:
        ordered = np.sort(values)
        ideal, steps = distribution(ordered), np.arange(len(ordered) + 1) / len(ordered)
        distance = max((steps[1:] - ideal).max(), (ideal - steps[:-1]).max())
        return float(distance * np.sqrt(len(ordered)))

    return statistic
