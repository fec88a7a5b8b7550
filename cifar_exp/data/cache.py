"""Decoded images as memory maps, keyed by content and shared by all processes.

An entry is a folder named by the SHA-256 of its content; an index beside the entries says which
content a listing of files (names, sizes, times) stands for. Both are renamed into place when
whole, so that what a killed process left half-written is never read.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

from cifar_exp.data.dataset import ImageSet

FORMAT = "1"


def cache_folder() -> Path:
    """Where decoded images are kept: CIFAR_EXP_CACHE, or the user's cache folder."""
    named = os.environ.get("CIFAR_EXP_CACHE")
    return Path(named) if named else user_cache_path("cifar_exp")


def cached(signature: str, make: Callable[[], ImageSet]) -> tuple[ImageSet, str]:
    """The images that `signature` stands for and the SHA-256 of their pixels.

    Made once; of two processes that want the same, one makes them and the other waits.
    """
    root = cache_folder()
    root.mkdir(parents=True, exist_ok=True)
    index = root / "index" / f"{hashlib.sha256(f'{FORMAT} {signature}'.encode()).hexdigest()}.json"
    found = _lookup(root, index)
    if found is not None:
        return found
    with FileLock(root / f"{index.stem}.lock"):
        found = _lookup(root, index)
        if found is None:
            _store(root, index, make())
            found = _lookup(root, index)
    assert found is not None
    return found


def pixel_digest(images: np.ndarray) -> str:
    """SHA-256 over uint8 RGB pixels (N, H, W, 3), image by image."""
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()


def _lookup(root: Path, index: Path) -> tuple[ImageSet, str] | None:
    try:
        entry = json.loads(index.read_text())
        folder = root / entry["content"]
        # copy-on-write: torch wants a writable array, and nothing ever reaches the file
        images = np.load(folder / "images.npy", mmap_mode="c")
        return ImageSet(images, np.load(folder / "labels.npy")), entry["pixels"]
    except (OSError, ValueError, KeyError):
        return None


def _store(root: Path, index: Path, made: ImageSet) -> None:
    pixels = pixel_digest(made.images)
    labels = hashlib.sha256(made.labels.tobytes()).hexdigest()
    content = hashlib.sha256(f"{pixels} {labels} {made.images.shape}".encode()).hexdigest()
    _rename_into_place(root, content, made)
    index.parent.mkdir(exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=index.parent)
    with os.fdopen(descriptor, "w") as stream:
        json.dump({"content": content, "pixels": pixels}, stream)
    os.replace(name, index)


def _rename_into_place(root: Path, content: str, made: ImageSet) -> None:
    folder = Path(tempfile.mkdtemp(dir=root, prefix=".writing-"))
    try:
        for name, array in (("images.npy", made.images), ("labels.npy", made.labels)):
            with (folder / name).open("wb") as stream:
                np.save(stream, array)
                stream.flush()
                os.fsync(stream.fileno())
        target = root / content
        if target.exists():  # the same pictures under another name, or an entry whose index is lost
            shutil.rmtree(target)
        os.replace(folder, target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
